"""What GitHub Actions shows of a comparison."""

import runpy
from pathlib import Path

from upbench.bench.gate.ci import github
from upbench.bench.gate.ci.comment import comment
from upbench.bench.gate.outcome import by_severity, refused, regressed, sentence, unmeasured

records = runpy.run_path(str(Path(__file__).with_name("records.py")))
cell, comparison, CHANGED = records["cell"], records["comparison"], records["CHANGED"]
NAME = "bicubic/x2/{}/cpu/float32/contiguous/eager/forward/1t"


def test_errors_for_slower_and_failed_warnings_for_the_doubtful():
    found = github.annotations(
        [
            comparison(
                cell("SAME"),
                cell("UNRESOLVED", 1.02, reason="50 % noise"),
                cell("SLOWER", 1.1),
                cell("FAILED", None, reason="it broke"),
                cell("FASTER", 0.8, pixels=CHANGED),
            )
        ]
    )
    assert found == [
        f"::error title=torch 2.13.0 -> 2.15.0::{NAME.format('slower')}: SLOWER, +10.0%25 [+9.0%25, +11.0%25]",
        f"::error title=torch 2.13.0 -> 2.15.0::{NAME.format('failed')}: FAILED (it broke)",
        f"::warning title=torch 2.13.0 -> 2.15.0::{NAME.format('unresolved')}: UNRESOLVED,"
        " +2.0%25 [+1.0%25, +3.0%25] (50 %25 noise)",
        f"::warning title=torch 2.13.0 -> 2.15.0::{NAME.format('faster')}: FASTER, -20.0%25 [-21.0%25, -19.0%25],"
        " pixels CHANGED by up to 0.2 (-0.500 dB), faster because different?",
    ]


def test_the_summary_is_the_comment_and_later_steps_get_the_verdict(tmp_path, capsys):
    variables = {name: str(tmp_path / name) for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT")}
    comparisons = [comparison(cell("SAME")), comparison(cell("SLOWER", 1.1), planted={"bicubic": 1.1})]
    github.publish(comparisons, variables | {"GITHUB_ACTIONS": "true"})
    assert (tmp_path / "GITHUB_STEP_SUMMARY").read_text() == comment(comparisons)
    assert (tmp_path / "GITHUB_OUTPUT").read_text() == 'verdict=SLOWER\ncounts={"SAME": 1, "SLOWER": 1}\n'
    assert capsys.readouterr().out.startswith("::error")


def test_the_verdict_of_nothing_is_that_nothing_changed():
    assert github.outputs([]).startswith("verdict=SKIPPED\n")
    assert github.outputs([comparison(cell("SAME"), cell("SKIPPED", None))]).startswith("verdict=SAME\n")
    assert github.outputs([comparison(cell("SAME", pixels=CHANGED))]).startswith("verdict=CHANGED\n")


def test_one_line_for_people_at_the_terminal():
    said = github.line(comparison(cell("SAME")))
    assert said == "✅ **torch 2.13.0 -> 2.15.0**, threshold 3.0%: 1 SAME; pixels changed in 0."


def test_elsewhere_nothing_is_published(capsys):
    github.publish([comparison(cell("SLOWER", 1.1))], {})
    assert capsys.readouterr().out == ""


def test_newlines_cannot_forge_a_command():
    (line,) = github.annotations([comparison(cell("FAILED", None, reason="a\n::error::b"))])
    assert "\n" not in line


def test_memory_that_grew_is_said():
    grown = cell("SAME", memory={"baseline_bytes": 100, "candidate_bytes": 150})
    assert "peak memory +50%" in sentence(grown)
    assert "memory" not in sentence(cell("SAME", memory={"reason": "it allocates apart from torch"}))


def test_worst_first():
    mixed = comparison(cell("SAME"), cell("SLOWER", 1.1), cell("SKIPPED", None), cell("SLOWER", 1.5))
    assert [each["ratio"] for each in by_severity(mixed)] == [1.5, 1.1, 1.0, None]


def test_outcomes():
    assert regressed(comparison(cell("SLOWER", 1.1)))
    assert not regressed(comparison(cell("FASTER", 0.9), cell("BIMODAL"), cell("UNRESOLVED")))
    assert unmeasured(comparison(cell("SAME"), cell("FAILED", None)))
    assert unmeasured(comparison(cell("SKIPPED", None)))
    assert not unmeasured(comparison(cell("SAME"), cell("SKIPPED", None)))
    noisy = cell("UNRESOLVED", floor=0.05)
    assert "(highest: 5.00%, bicubic/x2/unresolved/cpu/float32/contiguous/eager/forward/1t)" in refused(
        comparison(noisy, same=True)
    )
    assert not refused(comparison(noisy))
    assert not refused(comparison(noisy, same=True, planted={"bicubic": 1.05}))
