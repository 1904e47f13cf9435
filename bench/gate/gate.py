"""The version gate: a survey, then pairs of processes until every cell is closed or the budget is spent."""

import functools
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from upbench.bench.cells import Cell
from upbench.bench.gate.crew import Crew
from upbench.bench.gate.duet import TIMEOUT_SECONDS, Pair, Row, visit
from upbench.bench.gate.edges import compare as edges
from upbench.bench.gate.progress import Course, conclude, decide, settle
from upbench.bench.gate.sides.side import Question, Side
from upbench.bench.gate.survey import surveyor
from upbench.bench.gate.verdict import Verdict
from upbench.bench.store import Journal

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a comparison is told: `threshold` as a share (0.03), `budget` and `timeout` per answer in seconds.

    With `edges` pixels are compared at the edges of the space of shapes too. Where a `precision` (a share) is given, a
    cell whose verdict stands is asked until its interval reaches no further than that to either side. With a `tie` (a
    share) it is only asked who is faster (`progress.decide`). With `times_only` neither pixels nor memory are asked.
    """

    threshold: float = 0.03
    precision: float | None = None
    tie: float | None = None
    times_only: bool = False
    budget: float = 300.0
    timeout: float = TIMEOUT_SECONDS
    threads: int = 1
    edges: bool = False


def _methods(question: Question) -> str:
    """The method that is asked, by name; of two methods both."""
    return Cell.parse(question.name).method


class Gate:
    """One comparison of a candidate with the baseline. Its state is what the journal's rows add up to."""

    def __init__(
        self,
        sides: Sequence[Side],
        questions: Sequence[Question],
        settings: Settings,
        snapshot: Path,
        say: Say,
    ) -> None:
        """Nothing is measured yet; `say` gets a line for each round."""
        self.sides, self.questions, self.settings, self.say = sides, questions, settings, say
        self.crew = Crew(sides, snapshot, settings.threads, settings.timeout, questions)
        self.courses = {question.name: Course(name=question.name) for question in questions}
        self.surveys: dict[str, Row] = {}
        self.hosts: list[Row] = []
        self.edges: dict[str, Row] = {}
        self.visits: dict[str, list[Row]] = {question.name: [] for question in questions}
        self.spent = 0.0
        self.last_round = 0.0
        self.rounds = 0

    def run(self, journal: Journal, label: str) -> None:
        """Replay the journal's rows of this comparison, then go on from there; every result is journalled.

        Raises `WorkerError` when a side's worker does not come up at all.
        """
        for row in journal.rows:
            if row["comparison"] == label:
                self._take(row)
        with self.crew:
            for row in self._measure():
                journal.append(row | {"comparison": label})
                self._take(row)
        for course in self.courses.values():
            conclude(course, self.settings.threshold)

    def _take(self, row: Row) -> None:
        """Add one journal row to the state."""
        kind = row["kind"]
        if kind == "round":
            self.last_round = row["spent"] - self.spent if row["round"] else 0.0
            self.spent, self.rounds = row["spent"], row["round"]
            settle(list(self.courses.values()), self.settings.threshold)
            if self.settings.tie is not None:
                decide(list(self.courses.values()), self.settings.tie)
            return
        if kind == "edges":
            self.edges[row["methods"]] = row
            return
        course = self.courses[row["cell"]]
        if "verdict" in row:
            course.close(Verdict(row["verdict"]), row["reason"])
        elif kind == "survey":
            self.surveys[row["cell"]] = row
            self.hosts = row.get("hosts", self.hosts)
            course.calls = row["calls"]
        else:
            self.visits[row["cell"]].append(row)
            course.add(row)

    def _measure(self) -> Iterator[Row]:
        yield from self._survey()
        yield from self._edges()
        while self._open() and self.spent + self.last_round <= self.settings.budget:
            yield from self._round()

    def _open(self) -> list[Question]:
        return [question for question in self.questions if self.courses[question.name].is_open(self.settings.precision)]

    def _survey(self) -> Iterator[Row]:
        asked = [question for question in self._open() if question.name not in self.surveys]
        if not asked:
            return
        start = time.monotonic()
        times_only = self.settings.times_only
        self.say(f"{len(asked)} cells: {'block sizes' if times_only else 'pixels, memory, block sizes'}")
        with surveyor(times_only=times_only) as survey:
            for question, row in self.crew.work(asked, survey, timed=False):
                yield {"kind": "survey", "cell": question.name} | row
        yield {"kind": "round", "round": 0, "spent": self.spent + time.monotonic() - start}

    def _edges(self) -> Iterator[Row]:
        """Each method once, after the survey and outside the budget; a crash at an edge costs no cell."""
        asked = {_methods(each): each for each in self.questions if not each.two_methods and self._may_differ(each)}
        asked = asked if self.settings.edges else {}
        left = {question: name for name, question in asked.items() if name not in self.edges}
        if not left:
            return
        self.say(f"{len(left)} methods: pixels at the edges of the space of shapes")
        with tempfile.TemporaryDirectory(prefix="upbench-") as folder:
            act = functools.partial(edges.ask, folder=Path(folder))
            for question, row in self.crew.work(list(left), act, timed=False):
                yield {"kind": "edges", "methods": left[question]} | row

    def _may_differ(self, question: Question) -> bool:
        one, other = self.sides
        sides = [(side.python, side.variables, side.flags) for side in (one, other)]
        return sides[0] != sides[1] or question.method_of(0) != question.method_of(1)

    def _round(self) -> Iterator[Row]:
        start = time.monotonic()
        number, asked = self.rounds + 1, self._open()
        self.say(f"pair {number}: {len(asked)} cells asked, {self.spent:.0f} of {self.settings.budget:.0f} s spent")
        random.shuffle(asked)

        def look(pair: Pair, question: Question) -> Row:
            return visit(pair, question, self.courses[question.name].calls, len(asked))

        for question, row in self.crew.work(asked, look):
            purpose = self.courses[question.name].purpose
            yield {"kind": "visit", "cell": question.name, "round": number, "purpose": purpose} | row
        yield {"kind": "round", "round": number, "spent": self.spent + time.monotonic() - start}
