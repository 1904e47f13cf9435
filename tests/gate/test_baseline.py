import json
from pathlib import Path

import numpy as np
import pytest

from upbench.bench.cli.main import main
from upbench.bench.gate.baseline import RUN_SPREAD, judge
from upbench.bench.store import read_json

CELLS = ["--methods", "nearest", "bicubic", "--workloads", "single", "--budget", "1s"]


@pytest.fixture(autouse=True)
def no_probe(monkeypatch):
    found = {"torch": "0.0", "torchvision": None, "torchvision_reason": "there is none", "python": "3"}
    monkeypatch.setattr("upbench.bench.gate.sides.environments.probe", lambda python: found)


@pytest.fixture
def command(tmp_path):
    def run(*options: object) -> int:
        folders = ["--out", str(tmp_path / "out"), "--environments", str(tmp_path / "envs")]
        return main(["duet", *CELLS, *folders, *map(str, options)])

    return run


def verdicts(tmp_path: Path) -> set[str]:
    (comparison,) = read_json(tmp_path / "out" / "versions.json")["comparisons"]
    return {cell["verdict"] for cell in comparison["cells"]}


@pytest.mark.parametrize(("ratio", "verdict", "code"), [(1.0, "SAME", 0), (1.5, "SLOWER", 1), (0.5, "FASTER", 0)])
def test_a_stored_baseline_tells_large_changes(fake, tmp_path, command, ratio, verdict, code):
    kept = tmp_path / "baseline.json"
    assert command("--baseline", fake("old"), "--save-baseline", kept) == 0
    assert command("--against", kept, "--candidate", fake("new", ratio=ratio), "--threshold", "15%") == code
    assert verdicts(tmp_path) == {verdict}


def test_a_small_change_stays_open(fake, tmp_path, command):
    kept = tmp_path / "baseline.json"
    command("--baseline", fake("old"), "--save-baseline", kept)
    assert command("--against", kept, "--candidate", fake("new", ratio=1.05)) == 0
    assert verdicts(tmp_path) == {"UNRESOLVED"}


def test_another_host_is_refused(fake, tmp_path, command, capsys):
    kept = tmp_path / "baseline.json"
    command("--baseline", fake("old"), "--save-baseline", kept)
    assert command("--against", kept, "--candidate", fake("new", cpu="another")) == 2
    assert "measured elsewhere: its cpu is 'a fake', here it is 'another'" in capsys.readouterr().err


def test_other_threads_are_refused(fake, tmp_path, command, capsys):
    kept = tmp_path / "baseline.json"
    command("--baseline", fake("old"), "--save-baseline", kept)
    assert command("--against", kept, "--candidate", fake("new"), "--threads", 2) == 2
    assert "with 1 thread(s), this run with 2" in capsys.readouterr().err


def test_other_bits_are_told(fake, tmp_path, command):
    kept = tmp_path / "baseline.json"
    command("--baseline", fake("old"), "--save-baseline", kept)
    command("--against", kept, "--candidate", fake("new", digest="1"))
    (comparison,) = read_json(tmp_path / "out" / "versions.json")["comparisons"]
    assert comparison["cells"][0]["pixels"]["status"] == "other bits"


def test_what_failed_in_one_of_the_runs_says_so(fake, tmp_path, command):
    kept = tmp_path / "baseline.json"
    command("--baseline", fake("old", trouble={"nearest": "fail"}), "--save-baseline", kept)
    assert command("--against", kept, "--candidate", fake("new", trouble={"bicubic": "fail"})) == 3
    assert verdicts(tmp_path) == {"SKIPPED", "FAILED"}


def test_another_file_is_no_baseline(fake, tmp_path, command, capsys):
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"format": 1}))
    assert command("--against", other, "--candidate", fake("new")) == 2
    assert "is no baseline" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--baseline", "a"),
        ("--candidate", "a"),
        ("--baseline", "a", "--candidate", "b", "--against", "c"),
        ("--save-baseline", "a"),
        ("--against", "a", "--candidate", "b", "--plant", "bicubic=1.1"),
    ],
)
def test_three_kinds_of_run_and_no_mixture(command, options):
    assert command(*options) == 2


def test_two_runs_that_agree_perfectly_are_still_two_runs():
    found = judge([0.0] * 10, [0.0] * 10, 0.03)
    assert found["verdict"] == "UNRESOLVED"
    assert found["floor"] > 1.9 * RUN_SPREAD


def test_a_run_that_drifts_as_runs_do_raises_few_alarms():
    generator = np.random.default_rng(0)
    alarms = 0
    for _ in range(1000):
        drift = generator.normal(0, RUN_SPREAD)
        now = drift + generator.normal(0, 0.01, 8)
        alarms += judge(generator.normal(0, 0.01, 8).tolist(), now.tolist(), 0.03)["verdict"] in ("SLOWER", "FASTER")
    assert alarms <= 5
