"""What to do about a cell that ended open: how many pairs of processes it would take, and the command that does it."""

import math
from typing import Any

from upbench.bench.cells import Cell
from upbench.bench.gate.progress import Course
from upbench.bench.gate.sides.side import Question
from upbench.bench.gate.verdict import MIN_PAIRS, MOST_PAIRS, OPEN, pairs_needed

SURVEY_SECONDS = 15.0
PAIR_SECONDS = 2.0  # of one cell alone, with its share of starting interpreters, on two slow cores

# How the command line asks for an axis of a cell, where that is not what it takes by itself.
OPTIONS = {
    "device": "--device",
    "dtype": "--dtypes",
    "memory_format": "--memory-formats",
    "mode": "--modes",
    "step": "--pass",
    "threads": "--threads",
}


def advise(course: Course, question: Question, threshold: float, sides: str, budget: float) -> dict[str, Any] | None:
    """For an open cell: `pairs` in all, how many `more` that is than there were, `seconds`, and the `command`.

    `sides` are the options that name the two sides (`--versus` alone: the question's methods). `pairs` is None where
    more of them would hardly tell, and 0 where the `budget` (seconds) ended before the cell had a spread.
    """
    if course.verdict not in OPEN:
        return None
    if sides == "--versus":
        sides = f"--versus {question.method} {question.method_of(1)}"
    pairs, seconds = _needed(course, threshold) if len(course.all_ratios) > 1 else (0, 2 * budget)
    limits = f"--threshold {100 * threshold:g}% --budget {10 * math.ceil(seconds / 10)}s"
    return {
        "pairs": pairs,
        "more": max(1, pairs - len(course.all_ratios)) if pairs else None,
        "seconds": seconds,
        "command": f"upbench duet {sides} {_axes(question, sides)} {limits}",
    }


def _needed(course: Course, threshold: float) -> tuple[int | None, float]:
    """Pairs, and the seconds that they take, or that as many take as we promise at most."""
    pairs = pairs_needed(course.all_ratios, threshold)
    if pairs is None:
        return None, SURVEY_SECONDS + PAIR_SECONDS * MOST_PAIRS
    pairs += MIN_PAIRS if course.sign else 0  # which flag it again
    return pairs, SURVEY_SECONDS + PAIR_SECONDS * pairs


def _axes(question: Question, sides: str) -> str:
    cell, usual = Cell.parse(question.name), Cell(method="", scale=2, workload="")
    words = [] if sides.startswith("--versus") else [_method(question.asked or question.method)]
    words += [f"--workloads {cell.workload}", f"--scales {cell.scale}"]
    words += [
        f"{option} {getattr(cell, axis)}"
        for axis, option in OPTIONS.items()
        if getattr(cell, axis) != getattr(usual, axis)
    ]
    return " ".join(words)


def _method(method: str) -> str:
    return f"--method {method}" if ":" in method else f"--methods {method}"


def sentence(advice: dict[str, Any]) -> str:
    """For people."""
    if advice["pairs"] is None:
        return f"more than {MOST_PAIRS} pairs by its own spread: give another --threshold"
    if advice["pairs"] == 0:
        return f"too few to know its spread; with more time, alone: {advice['command']}"
    return f"by its own spread about {advice['more']} more pairs would tell: {advice['command']}"
