"""The self-check tells right from wrong; that the clocks agree here is for a quiet machine to show, not for a test."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from upbench.bench.selfcheck import cpu, stage
from upbench.bench.selfcheck.checks import Check, compared
from upbench.bench.selfcheck.stage import ending, table


def check(error: float | None, doubt: float = 0.0) -> Check:
    return Check(what="a clock", limit=0.02, expected=1.0, measured=1.0, error=error, spread=0.0, doubt=doubt)


@pytest.mark.parametrize(
    "error, doubt, verdict",
    [
        (0.02, 0, "ok"),
        (-0.02, 0, "ok"),
        (0.021, 0, "OFF"),
        (-0.021, 0, "OFF"),
        (0.04, 0.03, "noisy"),
        (0.0, 0.03, "noisy"),
    ],
)
def test_beyond_the_limit_is_off_and_noisy_where_the_rounds_differ_more(
    error: float, doubt: float, verdict: str
) -> None:
    assert check(error, doubt).verdict == verdict


def test_one_disturbed_round_does_not_decide() -> None:
    found = compared("a clock", [(1.0, 1.01)] * 8 + [(1.0, 9.0)], 0.02)
    assert found.error == pytest.approx(0.01)
    assert found.verdict == "ok"


def test_the_ratio_of_each_round_counts_not_the_ratio_of_medians() -> None:
    slowing = [(1.0 * 2**n, 1.0 * 2**n) for n in range(5)]
    assert compared("a clock", slowing, 0.02).error == 0


@pytest.mark.parametrize("errors, code", [([0.0, None], 0), ([0.0, 0.5], 3), ([None, None], 3), ([0.0], 0)], ids=repr)
def test_what_could_not_run_fails_nothing_but_something_must_have_run(errors: list[float | None], code: int) -> None:
    assert ending([check(error) for error in errors]) == code


def test_a_clock_that_runs_fast_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    true = cpu.clock_for("cpu")
    monkeypatch.setattr(cpu, "clock_for", lambda device: lambda: 1.1 * true())
    found = cpu._wait(0.002)
    assert found.error is None or found.error > 0.05, found


def test_a_system_without_a_second_clock_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu, "second_clock", lambda: None)
    rows = [cpu._wait(0.001), cpu._copy()]
    assert [row.verdict for row in rows] == ["not run", "not run"]
    assert all("second clock" in line for line in table(rows).splitlines()[1:])


def test_the_rounds_of_a_cell_stay_together() -> None:
    document = {
        "benchmarks": [
            {"extra_info": {"cell": name, "torch_seconds": theirs}, "stats": {"data": [ours]}}
            for name, theirs, ours in [("a", 1.0, 1.5), ("b", 2.0, 2.0), ("a", 3.0, 3.5)]
        ]
    }
    assert cpu._agreement_rounds(document) == {"a": [(1.0, 1.5), (3.0, 3.5)], "b": [(2.0, 2.0)]}


def test_the_command_prints_a_table_and_writes_it(
    upbench: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [check(0.001), Check(what="another timer", limit=0.03, reason="needs Triton")]
    monkeypatch.setattr(stage, "cpu_checks", lambda: rows)
    done = upbench("selfcheck", "--out", tmp_path)
    assert done.code == 0
    assert "+0.10%" in done.out and "not run: needs Triton" in done.out
    written = json.loads((tmp_path / "selfcheck.json").read_text())["checks"]
    assert [row["verdict"] for row in written] == ["ok", "not run"]


def test_the_comparison_with_torchs_timer_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k nearest/x2/single-0")
    rounds = cpu._agreement_rounds(cpu._run_agreement())
    ((theirs, ours),) = rounds["nearest/x2/single"]
    assert 0.02 < ours / theirs < 50, "the same call, both in seconds"
