"""From a finished gate to the record in `versions.json`, to sentences, and to the exit code.

`versions.json`: `{"format": 1, "comparisons": [...]}`. A comparison holds `baseline` and `candidate` (label, torch,
host), `settings`, `planted`, `same` (whether it is an environment against itself), `spent` seconds, `rounds`,
and `cells`, each with verdict, reason, ratio and interval, floor, pixels, memory, and every visit's raw blocks in
nanoseconds. Format history: 1 is the first.
"""

from collections import Counter
from dataclasses import asdict
from typing import Any

from upbench.bench.environments import Environment
from upbench.bench.gate import Gate
from upbench.bench.pixels import CHANGED
from upbench.bench.verdict import Verdict

Record = dict[str, Any]

SEVERITY = [verdict.value for verdict in Verdict]


def record(gate: Gate, environments: tuple[Environment, Environment]) -> Record:
    """A finished comparison as `versions.json` has it; `environments` are baseline and candidate."""
    hosts = gate.hosts or [{}, {}]
    ends = [
        {
            "label": environment.label,
            "torch": environment.torch,
            "torchvision": environment.torchvision,
            "torchvision_reason": environment.torchvision_reason,
            "host": host,
        }
        for environment, host in zip(environments, hosts, strict=True)
    ]
    return {
        "baseline": ends[0],
        "candidate": ends[1],
        "same": environments[0].python == environments[1].python,
        "settings": asdict(gate.settings),
        "planted": dict(gate.sides[1].planted),
        "spent": gate.spent,
        "rounds": gate.rounds,
        "cells": [gate.row(question) for question in gate.questions],
    }


def counts(comparison: Record) -> Counter[str]:
    """How many cells have each verdict, and how many `CHANGED` pixels."""
    found = Counter(cell["verdict"] for cell in comparison["cells"])
    found[CHANGED] = sum((cell["pixels"] or {}).get("status") == CHANGED for cell in comparison["cells"])
    return found


def by_severity(comparison: Record) -> list[Record]:
    """The cells, worst verdict first, and the largest ratio first among equals."""
    return sorted(
        comparison["cells"], key=lambda cell: (SEVERITY.index(cell["verdict"]), -abs((cell["ratio"] or 1) - 1))
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
    memory = memory_ratio(cell)
    if memory is not None and abs(memory - 1) > 0.01:
        parts.append(f"peak memory {memory - 1:+.0%}")
    return ", ".join(parts) + (f" ({cell['reason']})" if cell["reason"] else "")


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
    """Why an A/A run refuses its threshold, or nothing: some cell's noise is above it."""
    threshold = comparison["settings"]["threshold"]
    noisy = [cell for cell in comparison["cells"] if cell["floor"] is not None and cell["floor"] > threshold]
    if not comparison["same"] or not noisy:
        return ""
    worst = max(noisy, key=lambda cell: cell["floor"])
    return (
        f"The threshold of {threshold:.2%} is under the noise floor of {len(noisy)} of"
        f" {len(comparison['cells'])} cells (highest: {worst['floor']:.2%}, {worst['cell']});"
        " raise --threshold or --budget."
    )
