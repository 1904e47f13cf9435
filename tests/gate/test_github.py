from upbench.bench.gate import github
from upbench.bench.gate.outcome import by_severity, refused, regressed, sentence, unmeasured


def cell(verdict: str, ratio: float | None = 1.0, **more):
    plain = {
        "cell": f"bicubic/x2/{verdict.lower()}",
        "verdict": verdict,
        "reason": "",
        "planted": 1.0,
        "ratio": ratio,
        "low": None if ratio is None else ratio - 0.01,
        "high": None if ratio is None else ratio + 0.01,
        "floor": 0.01,
        "pixels": {"status": "identical"},
        "memory": {"baseline_bytes": 100, "candidate_bytes": 100},
    }
    return plain | more


def comparison(*cells, planted=None, same=False):
    return {
        "baseline": {"label": "2.13.0"},
        "candidate": {"label": "2.15.0"},
        "same": same,
        "settings": {"threshold": 0.03},
        "planted": planted or {},
        "cells": list(cells),
    }


CHANGED = {"status": "CHANGED", "largest": 0.2, "psnr_change_db": -0.5, "steps": 51, "share": 0.3}


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
        "::error title=torch 2.13.0 -> 2.15.0::bicubic/x2/slower: SLOWER, +10.0%25 [+9.0%25, +11.0%25]",
        "::error title=torch 2.13.0 -> 2.15.0::bicubic/x2/failed: FAILED (it broke)",
        "::warning title=torch 2.13.0 -> 2.15.0::bicubic/x2/unresolved: UNRESOLVED,"
        " +2.0%25 [+1.0%25, +3.0%25] (50 %25 noise)",
        "::warning title=torch 2.13.0 -> 2.15.0::bicubic/x2/faster: FASTER, -20.0%25 [-21.0%25, -19.0%25],"
        " pixels CHANGED by up to 0.2 (-0.500 dB), faster because different?",
    ]


def test_the_summary_is_one_line_a_comparison(tmp_path, capsys):
    summary = tmp_path / "summary.md"
    comparisons = [comparison(cell("SAME")), comparison(cell("SLOWER", 1.1), planted={"bicubic": 1.1})]
    github.publish(comparisons, {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_ACTIONS": "true"})
    text = summary.read_text()
    assert "✅ **torch 2.13.0 -> 2.15.0**, threshold 3.0%: 1 SAME; pixels changed in 0." in text
    assert "❌" in text
    assert "Planted slowdowns" in text
    assert capsys.readouterr().out.startswith("::error")


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
    assert "(highest: 5.00%, bicubic/x2/unresolved)" in refused(comparison(noisy, same=True))
    assert not refused(comparison(noisy))
    assert not refused(comparison(noisy, same=True, planted={"bicubic": 1.05}))
