"""One cell's way through the gate: explored, perhaps flagged, perhaps confirmed with fresh pairs, closed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from upbench.bench.gate.verdict import LOOKS, MIN_PAIRS, Estimate, Verdict, confirmed, flagged, groups, inside, trimmed

EXPLORE = "explore"
CONFIRM = "confirm"
SURELY = 0.99
BEYOND_DOUBT = 1e-4  # of being within the threshold: then the pairs that flag a cell are none that chance selected


@dataclass(slots=True, kw_only=True)
class Course:
    """What is known of a cell so far. `explored` and `fresh` hold one log ratio per pair of processes.

    `doubts` hold how well the blocks of each explored and each fresh pair tell its ratio (`block_ratio`). A cell is
    `foregone` where the explored pairs flag it beyond doubt.
    """

    name: str
    calls: int = 1
    explored: list[float] = field(default_factory=list)
    fresh: list[float] = field(default_factory=list)
    doubts: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    sign: int = 0
    foregone: bool = False
    verdict: Verdict | None = None
    reason: str = ""

    @property
    def purpose(self) -> str:
        """What the next pair is for."""
        return CONFIRM if self.sign else EXPLORE

    @property
    def all_ratios(self) -> list[float]:
        """Every log ratio, in order of time."""
        return self.explored + self.fresh

    def is_open(self, precision: float | None) -> bool:
        """Whether more pairs are wanted: no verdict yet, or an interval wider than `precision` to a side."""
        if self.verdict is None or precision is None or not self.all_ratios:
            return self.verdict is None
        return len(self.all_ratios) < LOOKS[-1] and self.estimate().reach() > np.log1p(precision)

    def estimate(self) -> Estimate:
        """From the fresh pairs where there are enough of them (they are not selected for), else from all.

        From all, too, where it was a foregone conclusion that the cell is flagged: then none of them is selected for.
        """
        alone = len(self.fresh) >= MIN_PAIRS and not self.foregone
        return Estimate.of(self.fresh if alone else self.all_ratios)

    def add(self, visit: dict[str, Any]) -> None:
        """Take in a visit's row of the journal."""
        self.put(block_ratio(visit["baseline"], visit["candidate"]), confirms=visit["purpose"] == CONFIRM)

    def put(self, ratio: tuple[float, float], *, confirms: bool) -> None:
        """Take in one pair's log ratio and its error."""
        (self.fresh if confirms else self.explored).append(ratio[0])
        self.doubts[confirms].append(ratio[1])

    def close(self, verdict: Verdict, reason: str = "") -> None:
        """Nothing more is measured of this cell."""
        self.verdict, self.reason = verdict, reason


def block_ratio(baseline: Sequence[float], candidate: Sequence[float]) -> tuple[float, float]:
    """One pair of processes: the mean of the middle half of its neighbouring blocks' log(candidate / baseline).

    On real blocks (training, forward, two threads) it differs 4 % less from pair to pair than their median. With it its
    standard error over the blocks (0 for one block); pairs differ by more than that, 1.2 to 1.5 times as much.
    """
    ratios = np.sort(np.log(np.asarray(candidate) / np.asarray(baseline)))
    return trimmed(ratios, len(ratios) // 4) if len(ratios) > 1 else (float(ratios[0]), 0.0)


def settle(courses: Sequence[Course], threshold: float) -> None:
    """After a round: flag, confirm and close cells."""
    measured = [course for course in courses if course.all_ratios]
    flags = flagged([Estimate.of(course.explored) for course in measured], threshold)
    for course, is_flagged in zip(measured, flags, strict=True):
        if course.verdict is None:
            _settle_one(course, is_flagged, threshold)


def decide(courses: Sequence[Course], tie: float) -> None:
    """Close each open cell of which it is told who is faster, or that the sides tie: what is asked of two methods.

    Within `tie` (a share) they tie; to be called faster the interval has to miss 1 at 99 %, for it is looked at again
    after every round.
    """
    for course in courses:
        estimate = Estimate.of(course.all_ratios)
        if course.verdict is not None or estimate.pairs < MIN_PAIRS:
            continue
        if abs(estimate.mean) > estimate.reach(SURELY):
            course.close(Verdict.SLOWER if estimate.mean > 0 else Verdict.FASTER)
        elif inside(estimate, tie):
            course.close(Verdict.SAME)


def _settle_one(course: Course, is_flagged: bool, threshold: float) -> None:
    explored = Estimate.of(course.explored)
    if course.sign:
        _confirm(course, threshold)
    elif inside(explored, threshold, course.doubts[0]):
        course.close(Verdict.SAME)
    elif is_flagged:
        course.sign = 1 if explored.mean > 0 else -1
        course.foregone = explored.beyond(threshold) < BEYOND_DOUBT


def _confirm(course: Course, threshold: float, *, last: bool = False) -> None:
    if confirmed(course.fresh, course.sign, threshold, last=last):
        course.close(Verdict.SLOWER if course.sign > 0 else Verdict.FASTER)
    elif inside(Estimate.of(course.fresh), threshold, course.doubts[1]):
        course.close(Verdict.SAME)
    elif len(course.fresh) >= LOOKS[-1]:
        course.close(Verdict.UNRESOLVED, f"flagged, but {LOOKS[-1]} fresh pairs did not confirm it")


def conclude(course: Course, threshold: float) -> None:
    """At the end: one more look; a cell in two groups is called so, and what is open is unresolved."""
    if course.verdict is None and course.sign:
        _confirm(course, threshold, last=True)
    two = groups(course.all_ratios)
    if two and course.verdict is not Verdict.SAME and not _one_sided(two, threshold):
        said = " and ".join(f"{len(group)} pairs at {np.exp(np.mean(group)):.3f}" for group in two)
        course.close(Verdict.BIMODAL, f"its processes fall into two groups: {said}")
    elif course.verdict is None:
        course.close(Verdict.UNRESOLVED, _why_open(course))


def _one_sided(two: tuple[list[float], list[float]], threshold: float) -> bool:
    """Whether both groups, by their means, are beyond the threshold on the same side: then they agree."""
    means, limit = [float(np.mean(group)) for group in two], float(np.log1p(threshold))
    return min(means) > limit or max(means) < -limit


def _why_open(course: Course) -> str:
    pairs = len(course.all_ratios)
    if course.sign:
        return f"flagged, but the budget ended after {len(course.fresh)} fresh pairs without confirming it"
    return f"the budget ended after {pairs} pairs of processes"
