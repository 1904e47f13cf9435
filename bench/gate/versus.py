"""How many times faster is one method than another? Both on the same inputs, in turn, in one environment.

For a Python program: `ratios` measures a list of pairs inside a budget. `upbench duet --versus A B` asks the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
    precision: float = PRECISION,
    allocator: str = HELD,
    cache: Path = Path(".nox"),
    progress: Progress | None = None,
) -> list[Record]:
    """Measure every pair by a duet, together within `budget` seconds; `front.json` in `out` keeps the raw blocks.

    A row holds the `cell`, `methods` [baseline, candidate], `ratio` of their times (candidate's over baseline's) with
    `low` and `high` (95 %), `verdict` and `reason`, `pixels` of one image through both, and `place`: "shared" where
    the interval holds 1. What could not be measured has `ratio` None and a reason. An interrupted call is taken up.
    Raises `WorkerError` where no worker comes up.
    """
    said = progress or Silent()
    questions = list({question.name: question for question in (pair.question() for pair in pairs)}.values())
    if not questions:
        return []
    threads = max(Cell.parse(question.name).threads for question in questions)
    settings = Settings(threshold=threshold, precision=precision, budget=budget, threads=threads)
    snapshot = take_snapshot(cache)
    ends = running("baseline"), running("candidate")
    sides = [Side(label=end.label, python=end.python, allocator=allocator) for end in ends]
    gate = Gate(sides, questions, settings, snapshot, lambda line: said.say(f"  {line}"))
    journal = Journal(out / "front.journal", _asked(questions, settings, snapshot, allocator))
    gate.run(journal, "front")
    record = comparison.record(gate, ends, "--versus")
    write_json(out / FILE, {"comparisons": [record]})
    journal.finish()
    return rows(record)


def _asked(questions: Sequence[Question], settings: Settings, snapshot: Path, allocator: str) -> Record:
    return {
        "questions": [[question.name, question.method, question.other] for question in questions],
        "settings": [settings.threshold, settings.precision, settings.budget],
        "allocator": allocator,
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
