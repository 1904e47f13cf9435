"""One verdict from several machines: red where two confirm it, open where they disagree."""

import html
import math
import runpy
from pathlib import Path

import numpy as np
import pytest

from upbench.bench import api
from upbench.bench.errors import UsageError
from upbench.bench.gate.ci.comment import comment
from upbench.bench.gate.ci.joined import Pooled, join
from upbench.bench.gate.comparison import summary
from upbench.bench.gate.progress import Course, conclude, settle
from upbench.bench.gate.trial.table import at_least, at_most
from upbench.bench.store import read_json, write_json

records = runpy.run_path(str(Path(__file__).with_name("records.py")))
cell, comparison, CHANGED = records["cell"], records["comparison"], records["CHANGED"]
NAME = "bicubic/x2/image/cpu/float32/contiguous/eager/forward/1t"


def joined(*cells):
    hosts = [f"host {number}" for number in range(len(cells))]
    (found,) = join([comparison(each | {"cell": NAME}) for each in cells], hosts)["cells"]
    return found


SLOWER, SAME, OPEN, FASTER = cell("SLOWER", 1.1), cell("SAME"), cell("UNRESOLVED", 1.02), cell("FASTER", 0.9)
FAILED, SKIPPED = cell("FAILED", None, reason="it broke"), cell("SKIPPED", None, reason="it would not")


@pytest.mark.parametrize(
    ("cells", "verdict", "reason"),
    [
        ((SLOWER, SLOWER), "SLOWER", ""),
        ((SLOWER, cell("SLOWER", 1.3)), "SLOWER", ""),
        ((FASTER, FASTER), "FASTER", ""),
        ((SAME, SAME), "SAME", ""),
        ((SAME,), "SAME", ""),
        ((SLOWER, SAME), "UNRESOLVED", "the hosts disagree: host 0 says SLOWER (+10.0%), host 1 says SAME (+0.0%)"),
        ((SLOWER, OPEN), "UNRESOLVED", "the hosts disagree: host 0 says SLOWER (+10.0%), host 1 says UNRESOLVED"),
        ((SLOWER, FASTER), "UNRESOLVED", "the hosts disagree: host 0 says SLOWER (+10.0%), host 1 says FASTER"),
        ((SLOWER,), "UNRESOLVED", "only host 0 measured it; a second host has to confirm it"),
        ((SLOWER, SKIPPED), "UNRESOLVED", "only host 0 measured it; a second host has to confirm it"),
        ((SLOWER, SLOWER, SAME), "UNRESOLVED", "the hosts disagree: host 0 says SLOWER (+10.0%), host 1 says SLOWER"),
        ((SLOWER,) * 9 + (OPEN,), "SLOWER", ""),
        ((SLOWER, SLOWER, FAILED), "SLOWER", ""),
        ((SAME, FAILED), "FAILED", "on host 1: it broke"),
        ((SKIPPED, SKIPPED), "SKIPPED", "it would not"),
        ((cell("UNRESOLVED", 1.001), SAME), "SAME", ""),
        ((OPEN, OPEN), "UNRESOLVED", "no host resolves it"),
    ],
)  # fmt: skip
def test_two_hosts_have_to_confirm_and_none_may_contradict(cells, verdict, reason):
    found = joined(*cells)
    assert (found["verdict"], found["reason"][: len(reason)]) == (verdict, reason)


def test_the_spread_that_hosts_show_is_what_their_errors_do_not_explain():
    rng = np.random.default_rng(0)
    spread = np.mean([Pooled.of(rng.normal(0.1, 0.04, 20), [0.01] * 20).spread for _ in range(100)])
    assert spread == pytest.approx(0.04, rel=0.15)
    agreed = Pooled.of([0.1, 0.1], [0.01, 0.01])
    assert (agreed.mean, agreed.spread) == (pytest.approx(0.1), 0.0)


def test_two_hosts_that_agree_are_still_taken_to_differ_and_many_are_believed():
    few, many = Pooled.of([0.1] * 2, [0.01] * 2), Pooled.of([0.1] * 100, [0.001] * 100)
    assert few.error == pytest.approx(math.hypot(0.01, 0.03 * math.sqrt(10 / 11)) / math.sqrt(2))
    assert many.error < 0.001


def test_the_interval_over_hosts_holds_the_truth_about_19_times_in_20():
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(1000):
        pooled = Pooled.of(rng.normal(0.05, math.hypot(0.03, 0.01), 8), [0.01] * 8)
        hits += abs(pooled.mean - 0.05) < pooled.reach()
    assert 0.93 <= hits / 1000 <= 0.98


def test_changed_pixels_on_one_host_are_changed_pixels():
    assert joined(SAME, cell("SAME", pixels=CHANGED))["pixels"]["status"] == "CHANGED"
    found = joined(SLOWER, SAME | {"detectable": 0.02}, SAME | {"detectable": 0.3})
    assert found["detectable"] == pytest.approx(0.09, abs=0.02), "hosts differ by more than one of them sees"
    found = joined(SLOWER, SAME | {"detectable": 0.2}, SAME | {"detectable": 0.3})
    assert found["detectable"] == 0.2, "what two of the hosts would have found"
    found = joined(SLOWER, SAME)
    assert [host["verdict"] for host in found["hosts"]] == ["SLOWER", "SAME"]
    assert 0.03 < found["spread"] < 0.1


def simulated(rng, truth: float, spread: float, noise: float = 0.012) -> dict:
    """A cell on a host of its own, through the gate's own statistics: its ratio there, then two pairs a round."""
    course, here = Course(name=NAME), math.log(truth) + rng.normal(0, spread)
    while course.verdict is None and len(course.all_ratios) < 45:
        target = course.fresh if course.sign else course.explored
        target += list(rng.normal(here, noise, 2))
        settle([course], 0.03)
    conclude(course, 0.03)
    return cell(course.verdict.value, cell=NAME, reason=course.reason) | summary(course, 0.03)


def red(rng, truth: float, spread: float) -> bool:
    """Whether two hosts are red together; the second one runs only where the first one finds it slower."""
    first = simulated(rng, truth, spread)
    return first["low"] > 1 and joined(first, simulated(rng, truth, spread))["verdict"] == "SLOWER"


def test_two_hosts_are_hardly_ever_falsely_red_and_nearly_always_find_ten_per_cent():
    """Hosts differ by 3 %, as measured; both exact one-sided 95 % bounds hold. In 32,000 pairs: 0.49 % and 96.7 %."""
    rng = np.random.default_rng(0)
    assert at_most(sum(red(rng, 1.0, 0.03) for _ in range(4000)), 4000) <= 0.01
    assert at_least(sum(red(rng, 1.1, 0.03) for _ in range(1500)), 1500) >= 0.95


def test_hosts_that_differ_less_are_as_good_as_one():
    rng = np.random.default_rng(0)
    assert not any(red(rng, 1.0, 0.01) for _ in range(200))
    assert all(red(rng, 1.1, 0.01) for _ in range(200))


def test_the_command_joins_folders_and_ends_red_only_where_both_are(upbench, tmp_path):
    for name, found in (("a", SLOWER), ("b", SLOWER), ("c", SAME)):
        write_json(tmp_path / name / "versions.json", {"comparisons": [comparison(found | {"cell": NAME})]})
    assert upbench("verdict", tmp_path / "a", tmp_path / "b", "--out", tmp_path / "ab").code == 1
    done = upbench("verdict", tmp_path / "a", tmp_path / "c", "--out", tmp_path / "ac")
    assert (done.code, "UNRESOLVED" in done.out) == (0, True)
    (found,) = read_json(tmp_path / "ac" / "versions.json")["comparisons"]
    assert found["hosts"] == ["a (a quiet one)", "c (a quiet one)"]
    assert (tmp_path / "ac" / "comment.md").read_text() == comment([found])
    assert "c (a quiet one)</code> SAME +0.0%" in html.unescape(comment([found]))
    assert upbench("report", tmp_path / "ac").code == 0


def test_a_python_program_gets_the_joined_cells_as_a_table(tmp_path):
    for name in ("a", "b"):
        write_json(tmp_path / name / "versions.json", {"comparisons": [comparison(SLOWER, SAME)]})
    found = api.verdict(tmp_path / "a", str(tmp_path / "b"), progress=False).set_index("verdict")
    assert list(found.index) == ["SLOWER", "SAME"]
    assert found.loc["SLOWER", "ratio"] == pytest.approx(1.1)
    assert [host["verdict"] for host in found.loc["SLOWER", "hosts"]] == ["SLOWER", "SLOWER"]
    with pytest.raises(UsageError, match="matrix of runners is empty"):
        api.verdict(progress=False)


@pytest.mark.parametrize(
    ("folders", "sentence"),
    [
        ((), "the matrix of runners is empty"),
        (("a", "a"), "a host cannot confirm itself"),
        (("a", "other"), "One folder compares torch 2.13.0 -> 2.15.0, another torch 2.13.0 -> 2.16.0"),
        (("a", "empty"), "holds no cell that was compared"),
        (("a", "nowhere"), "There is no file"),
        (("a", "damaged"), "cannot be read as JSON"),
        (("a", "strange"), "is not as upbench writes it (KeyError('verdict'))"),
    ],
)
def test_what_cannot_be_joined_is_said_in_one_sentence(upbench, tmp_path, folders, sentence):
    write_json(tmp_path / "a" / "versions.json", {"comparisons": [comparison(SAME)]})
    write_json(tmp_path / "other" / "versions.json", {"comparisons": [comparison(SAME, candidate={"label": "2.16.0"})]})
    write_json(tmp_path / "empty" / "versions.json", {"comparisons": [comparison()]})
    strange = {name: value for name, value in SAME.items() if name != "verdict"}
    write_json(tmp_path / "strange" / "versions.json", {"comparisons": [comparison(strange)]})
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "versions.json").write_text("{")
    done = upbench("verdict", *(tmp_path / name for name in folders), "--out", tmp_path / "out")
    assert done.code == 2
    assert sentence in done.err
    assert done.err.count("\n") == 1
