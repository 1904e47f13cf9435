"""What a comparison of `versions.json` says: counts, severity, sentences, outcome. Reads records only."""

import re
from collections import Counter
from typing import Any

from upbench.bench.gate import advice
from upbench.bench.gate.pixels import CHANGED
from upbench.bench.gate.verdict import Verdict

Record = dict[str, Any]

RELEASE = re.compile(r"\d+\.\d+")
SEVERITY = [verdict.value for verdict in Verdict]
USUAL = ("cpu", "float32", "contiguous", "eager", "forward", "1t")


def title(comparison: Record) -> str:
    """The two sides compared."""
    ends = [comparison[side]["label"] for side in ("baseline", "candidate")]
    torch = "torch " if all(RELEASE.match(end) for end in ends) else ""
    return f"{torch}{ends[0]} -> {ends[1]}"


def short(name: str) -> str:
    """A cell's name without the axes that have their usual values."""
    parts = name.split("/")
    return "/".join(parts[:3] + [part for part, usual in zip(parts[3:], USUAL, strict=False) if part != usual])


def counts(comparison: Record) -> Counter[str]:
    """How many cells have each verdict, and how many `CHANGED` pixels."""
    found = Counter(cell["verdict"] for cell in comparison["cells"])
    found[CHANGED] = sum((cell["pixels"] or {}).get("status") == CHANGED for cell in comparison["cells"])
    return found


def by_severity(comparison: Record) -> list[Record]:
    """The cells, worst verdict first, and the largest ratio first among equals."""
    return sorted(
        comparison["cells"],
        key=lambda cell: (SEVERITY.index(cell["verdict"]), -abs((cell["ratio"] or 1) - 1)),
    )


def sentence(cell: Record) -> str:
    """What is said of one cell, for people: verdict, ratio, pixels, reason."""
    parts = [f"{cell['cell']}: {cell['verdict']}"]
    if cell["planted"] != 1:
        parts.append(f"PLANTED x{cell['planted']:g}")
    if cell["ratio"] is not None:
        parts.append(f"{cell['ratio'] - 1:+.1%} [{cell['low'] - 1:+.1%}, {cell['high'] - 1:+.1%}]")
    pixels = cell["pixels"] or {}
    if pixels.get("status") == CHANGED:
        parts.append(f"pixels CHANGED by up to {pixels['largest']:.2g} ({pixels['psnr_change_db']:+.3f} dB)")
        if cell["verdict"] == Verdict.FASTER.value:
            parts.append("faster because different?")
    if "ratio" in cell.get("instructions", {}):
        parts.append(f"instructions {cell['instructions']['ratio'] - 1:+.1%}")
    memory = memory_ratio(cell)
    if memory is not None and abs(memory - 1) > 0.01:
        parts.append(f"peak memory {memory - 1:+.0%}")
    said = ", ".join(parts) + (f" ({cell['reason']})" if cell["reason"] else "")
    return f"{said}; {advice.sentence(cell['next'])}" if cell.get("next") else said


def memory_ratio(cell: Record) -> float | None:
    """Candidate's peak bytes per call over the baseline's; None where that is not known."""
    memory = cell["memory"] or {}
    baseline, candidate = memory.get("baseline_bytes"), memory.get("candidate_bytes")
    return candidate / baseline if baseline and candidate is not None else None


def regressed(comparison: Record) -> bool:
    """Whether a cell is confirmed to be slower."""
    return counts(comparison)[Verdict.SLOWER.value] > 0


def unmeasured(comparison: Record) -> bool:
    """Whether a cell failed, or none could be measured at all."""
    found = counts(comparison)
    return found[Verdict.FAILED.value] > 0 or found[Verdict.SKIPPED.value] == len(comparison["cells"])


def refused(comparison: Record) -> str:
    """Why an A/A run with nothing planted refuses its threshold, or nothing: some cell's noise is above it."""
    threshold = comparison["settings"]["threshold"]
    noisy = [cell for cell in comparison["cells"] if cell["floor"] is not None and cell["floor"] > threshold]
    if not comparison["same"] or comparison["planted"] or not noisy:
        return ""
    worst = max(noisy, key=lambda cell: cell["floor"])
    return (
        f"The threshold of {threshold:.2%} is under the noise floor of {len(noisy)} of"
        f" {len(comparison['cells'])} cells (highest: {worst['floor']:.2%}, {worst['cell']});"
        " raise --threshold or --budget."
    )
