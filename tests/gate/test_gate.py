"""The whole gate over fake workers: verdicts, lost workers, resumption, exit codes, `versions.json`."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from upbench.bench.cli.main import main
from upbench.bench.gate.crew import INTERPRETERS, LITTER
from upbench.bench.store import read_json
from upbench.reports import frame, markdown
from upbench.reports import gate as section
from upbench.reports.report import Report

CELLS = ("--methods", "nearest", "bilinear", "bicubic", "--workloads", "single")


@pytest.fixture(autouse=True)
def no_probe(monkeypatch):
    """Fake workers hold no torch that could be probed."""
    found = {"torch": "0.0", "torchvision": None, "torchvision_reason": "there is none", "python": "3"}
    monkeypatch.setattr("upbench.bench.gate.sides.environments.probe", lambda python: found)


def duet(tmp_path: Path, baseline: Path, candidate: Path, *options: str, cells=CELLS) -> int:
    folders = ("--out", str(tmp_path / "out"), "--environments", str(tmp_path / "envs"))
    return main(["duet", "--baseline", str(baseline), "--candidate", str(candidate), *cells, *folders, *options])


def cells_of(tmp_path: Path) -> dict[str, dict]:
    (comparison,) = read_json(tmp_path / "out" / "versions.json")["comparisons"]
    return {cell["cell"].partition("/")[0]: cell for cell in comparison["cells"]}


def verdicts(tmp_path: Path) -> dict[str, str]:
    return {method: cell["verdict"] for method, cell in cells_of(tmp_path).items()}


def test_unchanged_versions_pass(fake, tmp_path):
    assert duet(tmp_path, fake("old"), fake("new")) == 0
    assert set(verdicts(tmp_path).values()) == {"SAME"}
    assert not (tmp_path / "out" / "versions.journal").exists()


def test_a_slower_candidate_is_a_regression(fake, tmp_path, capsys):
    assert duet(tmp_path, fake("old"), fake("new", ratio=1.2)) == 1
    assert set(verdicts(tmp_path).values()) == {"SLOWER"}
    assert cells_of(tmp_path)["bicubic"]["ratio"] == pytest.approx(1.2, rel=0.02)
    assert "bicubic/x2/single/cpu/float32/contiguous/eager/forward/1t: SLOWER" in capsys.readouterr().out


def test_a_faster_candidate_is_no_regression(fake, tmp_path):
    assert duet(tmp_path, fake("old"), fake("new", ratio=0.8)) == 0
    assert set(verdicts(tmp_path).values()) == {"FASTER"}


def test_a_planted_slowdown_is_found_where_it_was_planted_and_declared(fake, tmp_path, capsys):
    assert duet(tmp_path, fake("old"), fake("new"), "--plant", "bilinear=1.1") == 1
    assert verdicts(tmp_path) == {"nearest": "SAME", "bilinear": "SLOWER", "bicubic": "SAME"}
    assert "PLANTED" in capsys.readouterr().out
    assert "PLANTED" in told(tmp_path / "out")


@pytest.mark.parametrize("trouble", ["crash", "hang", "garbage", "fail"])
def test_a_troubled_cell_costs_that_cell_only(fake, tmp_path, trouble):
    bad = fake("new", trouble={"bilinear": trouble})
    assert duet(tmp_path, fake("old"), bad, "--timeout", "1s") == 3
    assert verdicts(tmp_path) == {"nearest": "SAME", "bilinear": "FAILED", "bicubic": "SAME"}
    assert "candidate" in cells_of(tmp_path)["bilinear"]["reason"]


def test_what_the_baseline_could_not_do_is_skipped_and_what_was_lost_is_a_failure(fake, tmp_path):
    declines = {"trouble": {"bilinear": "skip"}, "when": "prepare"}
    assert duet(tmp_path, fake("old", **declines), fake("new")) == 0
    assert verdicts(tmp_path)["bilinear"] == "SKIPPED"
    (tmp_path / "out" / "versions.json").unlink()
    assert duet(tmp_path, fake("old2"), fake("new2", **declines)) == 3
    assert "the baseline can" in cells_of(tmp_path)["bilinear"]["reason"]


def test_a_regression_outweighs_a_failure(fake, tmp_path):
    bad = fake("new", ratio=1.2, trouble={"bilinear": "fail"})
    assert duet(tmp_path, fake("old"), bad) == 1


def test_a_side_that_does_not_start_is_not_a_regression(fake, tmp_path, capsys):
    assert duet(tmp_path, fake("old"), fake("new", mute=True)) == 3
    assert "ImportError: no torch here" in capsys.readouterr().err


def test_against_itself_a_threshold_under_the_noise_is_refused(fake, tmp_path, capsys):
    same = fake("same", between=0.05)
    assert duet(tmp_path, same, same, "--threshold", "0.1%", "--budget", "3s") == 2
    assert "under the noise floor of 3 of 3 cells" in capsys.readouterr().err
    assert read_json(tmp_path / "out" / "versions.json")["comparisons"][0]["same"] is True


def test_processes_in_two_groups_are_called_bimodal(fake, tmp_path):
    assert duet(tmp_path, fake("old"), fake("new", groups=[0.0, 0.3]), "--budget", "5s") == 0
    assert "BIMODAL" in verdicts(tmp_path).values()


def test_the_file_keeps_every_raw_block(fake, tmp_path):
    duet(tmp_path, fake("old"), fake("new"))
    cell = cells_of(tmp_path)["nearest"]
    assert cell["pairs"] == len(cell["visits"])
    for visit in cell["visits"]:
        assert len(visit["baseline"]) == len(visit["candidate"]) == len(visit["first"]) >= 6
        assert all(isinstance(nanoseconds, int) for nanoseconds in visit["baseline"])


def test_several_candidates_are_each_compared_with_the_baseline(fake, tmp_path):
    old, new, newest = fake("old"), fake("new"), fake("newest", ratio=1.5)
    command = ["duet", "--baseline", str(old), "--candidate", str(new), str(newest), *CELLS]
    folders = ["--out", str(tmp_path / "out"), "--environments", str(tmp_path / "envs")]
    assert main([*command, *folders]) == 1
    comparisons = read_json(tmp_path / "out" / "versions.json")["comparisons"]
    assert [each["cells"][0]["verdict"] for each in comparisons] == ["SAME", "SLOWER"]


@pytest.mark.parametrize(
    "options",
    [
        ("--threshold", "0"),
        ("--threshold", "abc"),
        ("--budget", "-1s"),
        ("--plant", "bicubic"),
        ("--plant", "bicubic=0.9"),
        ("--plant", "area=1.1"),
        ("--workloads", "huge"),
        ("--methods", "bicubick"),
    ],
)
def test_what_cannot_be_asked_is_refused(fake, tmp_path, options):
    try:
        code = duet(tmp_path, fake("old"), fake("new"), *options)
    except SystemExit as ended:
        code = ended.code
    assert code == 2


RUN = """
import sys
from upbench.bench.gate.sides import environments
found = {"torch": "0.0", "torchvision": None, "torchvision_reason": "none", "python": "3"}
environments.probe = lambda python: found
from upbench.bench.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def test_killed_at_any_moment_it_goes_on_and_leaves_no_worker(fake, tmp_path):
    old, new = fake("old"), fake("new", ratio=1.2)
    script = tmp_path / "run.py"
    script.write_text(RUN)
    command = [sys.executable, script, "duet", "--baseline", old, "--candidate", new, *CELLS]
    command += ["--out", tmp_path / "out", "--environments", tmp_path / "envs"]
    journal = tmp_path / "out" / "versions.journal"
    done = [0]
    for rows in (5, 21):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while process.poll() is None and lines(journal) <= rows:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert lines(journal) >= done[-1], "what was measured is kept"
        done.append(lines(journal))
    assert subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 1
    assert set(verdicts(tmp_path).values()) == {"SLOWER"}
    visits = sum(cell["pairs"] for cell in cells_of(tmp_path).values())
    assert visits <= 60, "what was measured is not measured again"
    assert not any(alive(int(pid)) for side in (old, new) for pid in pids(side))


def lines(journal: Path) -> int:
    return journal.read_bytes().count(b"\n") if journal.is_file() else 0


def pids(side: Path) -> list[str]:
    return (side.parent / "pids").read_text().split()


def told(folder: Path) -> str:
    report = Report(run=frame.read(folder))
    return markdown.write([*section.alerts(report), *section.section(report)])


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.is_file() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def test_the_report_draws_from_the_file_alone(fake, tmp_path):
    duet(tmp_path, fake("old"), fake("new", trouble={"bilinear": "fail"}))
    text = told(tmp_path / "out")
    assert "| `bilinear/x2/single` | **FAILED** |" in text
    assert text.index("FAILED** |") < text.index("| `nearest/x2/single` | SAME |")
    assert "No torchvision for the candidate: there is none." in text
    assert "[!CAUTION]" in text


def test_several_pairs_of_processes_come_from_one_pair_of_interpreters(fake, tmp_path):
    old, new = fake("old"), fake("new")
    assert duet(tmp_path, old, new, "--no-edges") == 0
    pairs = max(cell["pairs"] for cell in cells_of(tmp_path).values())
    for side in (old, new):
        interpreters = len((side.parent / "pids").read_text().split())
        assert pairs >= 5
        assert interpreters <= INTERPRETERS + pairs // LITTER
        waiting = (side.parent / "begun").stat().st_size - (pairs + 1)  # besides the survey's
        assert 0 <= waiting <= INTERPRETERS


def test_a_pair_of_processes_visits_every_open_cell_the_flagged_ones_too(fake, tmp_path):
    """Starting a pair takes longer than a visit: a round for the flagged cells alone is time that the others lack."""
    sides = fake("old", between=0.02), fake("new", between=0.02)
    duet(tmp_path, *sides, "--plant", "bilinear=1.2", "--threshold", "0.5%", "--budget", "6s")
    found = cells_of(tmp_path)
    assert found["bilinear"]["verdict"] == "SLOWER"
    fresh = [visit["round"] for visit in found["bilinear"]["visits"] if visit["purpose"] == "confirm"]
    assert len(fresh) >= 6
    for other in ("nearest", "bicubic"):
        rounds = [visit["round"] for visit in found[other]["visits"]]
        assert rounds == list(range(1, len(rounds) + 1)), "every round until the cell was closed"
        assert set(fresh) <= set(rounds)


def test_a_report_of_versions_alone_speaks_of_nothing_else(fake, tmp_path, capsys):
    duet(tmp_path, fake("old"), fake("new"))
    assert main(["report", str(tmp_path / "out")]) == 0
    page = (tmp_path / "out" / "report.md").read_text()
    assert page.startswith("# Did the upgrade change anything?")
    assert "| `nearest/x2/single` | SAME |" in page
    assert "What to use" not in page
    assert "article" not in page
    assert (tmp_path / "out" / "figures" / "versions-light.png").is_file()


def test_pixels_at_the_edges_are_told_where_they_differ(fake, tmp_path, capsys):
    duet(tmp_path, fake("old"), fake("new", edge="!it cannot"), "--budget", "1s")
    (comparison,) = read_json(tmp_path / "out" / "versions.json")["comparisons"]
    assert {name: found["counts"] for name, found in comparison["edges"].items()} == {
        name: {"lost": 5} for name in ("nearest", "bilinear", "bicubic")
    }
    assert "5 lost (smallest input 1x3x2x2 float32 contiguous x2: it cannot)" in capsys.readouterr().out
