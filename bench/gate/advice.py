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


def advise(course: Course, question: Question, threshold: float, sides: str) -> dict[str, Any] | None:
    """For an open cell: `pairs` in all, how many `more` that is than there were, `seconds`, and the `command`.

    `sides` are the options that name the two sides (`--versus` alone: the question's methods). `pairs` is None where
    more of them would hardly tell.
    """
    if course.verdict not in OPEN or not course.all_ratios:
        return None
    if sides == "--versus":
        sides = f"--versus {question.method} {question.method_of(1)}"
    pairs = pairs_needed(course.all_ratios, threshold)
    if course.sign and pairs is not None:
        pairs += MIN_PAIRS  # which flag it again
    seconds = SURVEY_SECONDS + PAIR_SECONDS * (pairs or MOST_PAIRS)
    budget = f"--threshold {100 * threshold:g}% --budget {10 * math.ceil(seconds / 10)}s"
    return {
        "pairs": pairs,
        "more": None if pairs is None else max(1, pairs - len(course.all_ratios)),
        "seconds": seconds,
        "command": f"upbench duet {sides} {_axes(question, sides)} {budget}",
    }


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
    return f"by its own spread about {advice['more']} more pairs would tell: {advice['command']}"
