"""How many times faster is one method than another? Both on the same inputs, in turn, in one environment.

For a Python program: `ratios` measures a list of pairs inside a budget. `upbench duet --versus A B` asks the same.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from upbench.bench.cells import Cell
from upbench.bench.gate import comparison
from upbench.bench.gate.gate import Gate, Settings
from upbench.bench.gate.sides.environments import running
from upbench.bench.gate.sides.side import Question, Side, against
from upbench.bench.stage import Progress, Silent
from upbench.bench.store import Journal, write_json
from upbench.bench.workers.launch import HELD, take_snapshot

Record = dict[str, Any]

FILE = "front.json"
BUDGET_SECONDS = 40.0
PRECISION = 0.015  # of the ratio, to either side


@dataclass(frozen=True, slots=True, kw_only=True)
class Versus:
    """Two methods (installed names, or specs) on the axes of `cell`, whose own method does not matter."""

    cell: Cell
    baseline: str
    candidate: str

    def question(self) -> Question:
        """As the gate asks it."""
        names = [method.rpartition(":")[2] for method in (self.baseline, self.candidate)]
        cell = replace(self.cell, method=against(*names))
        return Question(name=cell.name, method=self.baseline, other=self.candidate)


def ratios(
    pairs: Sequence[Versus],
    out: Path,
    *,
    budget: float = BUDGET_SECONDS,
    threshold: float = 0.03,
    precision: float | None = PRECISION,
    tie: float | None = None,
    allocator: str = HELD,
    cache: Path = Path(".nox"),
    progress: Progress | None = None,
) -> list[Record]:
    """Measure every pair by a duet, together within `budget` seconds; `front.json` in `out` keeps the raw blocks.

    A row holds the `cell`, `methods` [baseline, candidate], `ratio` of their times (candidate's over baseline's) with
    `low` and `high` (95 %), `verdict` and `reason`, `pixels` of one image through both, and `place`: "shared" where
    the interval holds 1. What could not be measured has `ratio` None and a reason. With a `tie` a pair is left as soon
    as it is told who is faster. An interrupted call is taken up. Raises `WorkerError` where no worker comes up.
    """
    settings = Settings(threshold=threshold, precision=precision, tie=tie, budget=budget)
    questions = [pair.question() for pair in pairs]
    file = out / FILE
    return rows(here(questions, settings, file, "--versus", (allocator, allocator), cache, progress or Silent()))


def here(
    questions: Sequence[Question],
    settings: Settings,
    file: Path,
    words: str,
    allocators: tuple[str, str],
    cache: Path,
    progress: Progress,
) -> Record:
    """One comparison in the environment that runs, as `file` keeps it; a question that is asked twice counts once.

    `words` are the options of `upbench duet` that ask for the two sides.
    """
    asked = list({question.name: question for question in questions}.values())
    if not asked:
        return {"cells": []}
    settings = replace(settings, threads=max(Cell.parse(question.name).threads for question in asked))
    snapshot = take_snapshot(cache)
    ends = running("baseline"), running("candidate")
    sides = [
        Side(label=end.label, python=end.python, allocator=allocator)
        for end, allocator in zip(ends, allocators, strict=True)
    ]
    gate = Gate(sides, asked, settings, snapshot, lambda line: progress.say(f"  {line}"))
    journal = Journal(file.with_suffix(".journal"), _asked(asked, settings, snapshot, allocators))
    gate.run(journal, file.stem)
    record = comparison.record(gate, ends, words)
    write_json(file, {"comparisons": [record]})
    journal.finish()
    return record


def _asked(questions: Sequence[Question], settings: Settings, snapshot: Path, allocators: tuple[str, str]) -> Record:
    return {
        "questions": [[question.name, question.method, question.other] for question in questions],
        "settings": asdict(settings),
        "allocators": list(allocators),
        "code": snapshot.name,
    }


COLUMNS = ("cell", "methods", "verdict", "reason", "ratio", "low", "high", "pairs", "pixels")


def rows(record: Record) -> list[Record]:
    """A comparison's cells in short, with whether the two share the place."""
    return [{name: cell[name] for name in COLUMNS} | {"place": _place(cell)} for cell in record["cells"]]


def _place(cell: Record) -> str:
    """`shared` where the interval holds 1, else the method that is faster; empty where nothing was measured."""
    if cell["ratio"] is None:
        return ""
    if cell["low"] <= 1 <= cell["high"]:
        return "shared"
    first, second = cell["methods"]
    return str(first if cell["ratio"] > 1 else second)
