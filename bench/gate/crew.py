"""The pairs of processes of a comparison, one after the other, and what becomes of a cell that fails in one.

A few pairs come from the same two interpreters, as forks (`upbench.bench.workers.serve`): starting an interpreter
takes seconds.
"""

import collections
import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from upbench.bench.cells import Cell
from upbench.bench.errors import FailedError, SkippedError
from upbench.bench.gate.duet import Pair, Row
from upbench.bench.gate.sides.side import Question, Side
from upbench.bench.gate.verdict import Verdict
from upbench.bench.workers import ahead
from upbench.bench.workers.pipes import WorkerError

# Where the system puts the libraries is drawn once an interpreter, and moves some small calls by 5 to 10 %, calls of
# 20 ms by 1.7 %, for all its forks alike. So pairs of processes come from several pairs of interpreters in turn, and
# few from each: those that confirm a cell are not all of the interpreters that flagged it. From one pair of processes
# to the next of the same interpreters those 20 ms differ by 4.8 %: three to five from each then take the least time.
INTERPRETERS = 3  # pairs of them that wait
LITTER = 4  # pairs of processes from each that are timed


class Crew:
    """Starts pairs when they are needed and turns what goes wrong with a cell into that cell's row."""

    def __init__(
        self,
        sides: Sequence[Side],
        snapshot: Path,
        threads: int,
        timeout: float,
        questions: Sequence[Question] = (),
    ) -> None:
        """Nothing is started yet; for the questions that will come, what torch imports lazily is imported once.

        But not for training: half a second that each process spends itself, for then, where a cell is alone in it,
        ratios spread 2.5 times less from pair to pair (`bicubic-antialias` on a batch: 1.7 % for 4.5 %; why, we do not
        know).
        """
        modules = ahead.needed((Cell.parse(question.name) for question in questions), but="train")
        self.arguments = (sides, snapshot, threads, timeout, modules)
        self.pair: Pair | None = None
        self.waiting: collections.deque[Pair] = collections.deque()

    def __enter__(self) -> "Crew":
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the pairs that are alive."""
        self._dismiss()
        while self.waiting:
            self.waiting.pop().close()

    def work(
        self, questions: Sequence[Question], act: Callable[[Pair, Question], Row], *, timed: bool = True
    ) -> Iterator[tuple[Question, Row]]:
        """`act` on each question, all with one new pair; a pair that is lost is replaced.

        An `act` that gives no ratio of times says so, and its processes are not counted.
        A cell that fails yields `{"verdict": ..., "reason": ...}`. Raises `WorkerError` when no pair starts.
        """
        left = list(questions)
        while left:
            pair = self._next_pair(timed)
            while left:
                question = left.pop(0)
                try:
                    yield question, act(pair, question)
                except SkippedError as error:
                    yield question, {"verdict": Verdict.SKIPPED.value, "reason": str(error)}
                except FailedError as error:
                    yield question, {"verdict": Verdict.FAILED.value, "reason": str(error)}
                except WorkerError as error:
                    self._dismiss()
                    yield question, {"verdict": Verdict.FAILED.value, "reason": str(error)}
                    break

    def _next_pair(self, timed: bool) -> Pair:
        """New processes of the interpreters that have rested longest; until there are enough, of new interpreters."""
        self._rest()
        enough = len(self.waiting) >= INTERPRETERS
        self.pair = self.waiting.popleft() if enough else Pair(*self.arguments)
        self.pair.litter += timed
        return self.pair

    def _rest(self) -> None:
        """Have the interpreters that were at work wait with new processes, unless they have had all of theirs."""
        if self.pair and self.pair.litter < LITTER:
            with contextlib.suppress(WorkerError):
                self.pair.renew()
                self.waiting.append(self.pair)
                self.pair = None
        self._dismiss()

    def _dismiss(self) -> None:
        if self.pair:
            self.pair.close()
            self.pair = None
