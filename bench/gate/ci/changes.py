"""Where a watched series changes its level: between which two candidates, and by how much.

A night is compared with earlier nights on the same kind of host only, so that another runner is no change. A change is
told once the last `confirm` nights lie beyond what the nights before them vary by, all on one side; smaller ones take
two or four times as many. The nights' variance is moderated by what a night is known to vary by, so that a young series
is not judged by three values: Smyth, "Linear models and empirical Bayes methods", Stat. Appl. Genet. Mol. Biol. 2004.
"""

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from upbench.bench.gate.ci.history import Night
from upbench.bench.gate.verdict import CONFIDENCE, Estimate

CONFIRM = 3
LOOKS = (1, 2, 4)  # times `confirm`: how many of the last nights are looked at
ERROR = 0.0005  # of each look, both directions: the looks together stay under one false change in 1,000 nights
NIGHT_SPREAD, NIGHTS_WORTH = 0.006, 10  # of a night's log ratio: standard deviation, and how many nights say so
LEAST = 0.01  # a step of less is not worth a word
AGREEING = 1 / 3  # of the step, by which each of the nights has to lie off
OUTLYING = 2.5  # standard deviations beyond which a night's distance counts as that much
MANY, MEDIAN = 10, math.pi / 2  # nights of a host before its level is a trimmed mean; a median's variance before
MEMORY = 90  # nights

Levels = dict[str, tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A night of one cell: its log ratio to the anchor, that ratio's standard error, and where it was measured."""

    candidate: str
    time: str
    value: float
    error: float
    host: str
    pixels: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Between `before` and `after` a cell's time changed by the factor `ratio`; `told` is the night that settled it."""

    branch: str
    before: str
    after: str
    time: str
    ratio: float
    low: float
    high: float
    told: str


def series(nights: Iterable[Night]) -> dict[str, list[Point]]:
    """Each cell's points in order of time; a candidate that was measured twice on one day and host counts once."""
    found: dict[str, dict[tuple[str, str, str], list[Night]]] = defaultdict(dict)
    for night in nights:
        found[night.branch].setdefault((night.candidate, night.time[:10], night.host), []).append(night)
    return {branch: [_point(same) for same in days.values()] for branch, days in found.items()}


def _point(same: Sequence[Night]) -> Point:
    first = same[0]
    errors = [math.log(night.high / night.low) / 2 / 1.96 for night in same]
    return Point(
        candidate=first.candidate,
        time=first.time,
        value=float(np.mean([math.log(night.ratio) for night in same])),
        error=float(np.mean(errors)) / math.sqrt(len(same)),
        host=first.host,
        pixels=first.pixels,
    )


def find(branch: str, points: Sequence[Point], confirm: int = CONFIRM) -> list[Change]:
    """Every change of a series, as each night would have told it from the nights until then."""
    found, start = [], 0
    for end in range(2, len(points) + 1):
        segment = points[max(start, end - MEMORY) : end]
        cut = next((cut for look in LOOKS if (cut := _cut(segment, look * confirm, confirm))), None)
        if cut:
            found.append(change_at(branch, segment, cut))
            start = end - len(segment) + cut
    return found


def _cut(segment: Sequence[Point], nights: int, confirm: int) -> int | None:
    """Where the last `nights` nights part from those before them, or None where they do not.

    Nights count on hosts that had as many nights before as have to agree now.
    """
    for cut in range(len(segment) - nights, 0, -1):
        levels = _levels(segment[:cut], confirm)
        off = _off(segment[cut:], levels)
        if len(off) >= nights:
            break
    else:
        return None
    step = float(np.mean(off))
    agreed = min(math.copysign(1, step) * value for value in off) >= AGREEING * abs(step)
    if not agreed or abs(step) < math.log1p(LEAST):
        return None
    error, freedom = _error(segment[:cut], segment[cut:], levels)
    if abs(step) < error * _quantile(1 - ERROR / 2, freedom):
        return None
    return max(range(max(1, cut - nights), cut + nights), key=lambda place: _gain(segment, place))


def _levels(points: Sequence[Point], least: int = 1) -> Levels:
    """Each host's level and its variance in those of one night: the median of few, of many the gate's trimmed mean."""
    values: dict[str, list[float]] = defaultdict(list)
    for point in points:
        values[point.host].append(point.value)
    return {
        host: (Estimate.of(mine).mean, 1 / len(mine))
        if len(mine) >= MANY
        else (float(np.median(mine)), (MEDIAN if len(mine) > 2 else 1.0) / len(mine))
        for host, mine in values.items()
        if len(mine) >= least
    }


def _off(points: Sequence[Point], levels: Levels) -> list[float]:
    """How far points lie off their host's level."""
    return [point.value - levels[point.host][0] for point in points if point.host in levels]


def _error(before: Sequence[Point], after: Sequence[Point], levels: Levels) -> tuple[float, int]:
    """The standard error of the mean step of `after`, and its degrees of freedom."""
    usual = _off(before, levels)
    freedom = NIGHTS_WORTH + max(0, len(usual) - len(levels))
    limit = max(NIGHT_SPREAD, OUTLYING * 1.4826 * float(np.median(np.abs(usual))))  # a neighbour's burst of work
    squares = float((np.clip(usual, -limit, limit) ** 2).sum())
    counted = [point for point in after if point.host in levels]
    variance = (NIGHTS_WORTH * NIGHT_SPREAD**2 + squares) / freedom
    variance = max(variance, float(np.mean([point.error**2 for point in counted])))
    of_levels = float(np.mean([levels[point.host][1] for point in counted]))
    return math.sqrt(variance * (1 / len(counted) + of_levels)), freedom


def _gain(segment: Sequence[Point], cut: int) -> float:
    """How much a cut takes from the squares about the level."""
    off = _off(segment[cut:], _levels(segment[:cut]))
    return len(off) * float(np.mean(off)) ** 2 * cut / (cut + len(off)) if off else 0.0


def change_at(branch: str, segment: Sequence[Point], cut: int) -> Change:
    """The change between the points before a cut and those from it on."""
    before, after = segment[:cut], segment[cut:]
    if not _off(after, _levels(before)):  # every night since is on a host of its own: the plain levels
        before, after = ([replace(point, host="") for point in part] for part in (before, after))
    levels = _levels(before)
    error, freedom = _error(before, after, levels)
    step, reach = float(np.mean(_off(after, levels))), error * _quantile((1 + CONFIDENCE) / 2, freedom)
    return Change(
        branch=branch,
        before=before[-1].candidate,
        after=after[0].candidate,
        time=after[0].time,
        ratio=math.exp(step),
        low=math.exp(step - reach),
        high=math.exp(step + reach),
        told=segment[-1].time,
    )


def other_bits(points: Sequence[Point]) -> list[tuple[Point, Point]]:
    """Neighbouring nights of one host whose images have other digests."""
    found = []
    for host in sorted({point.host for point in points}):
        mine = [point for point in points if point.host == host and point.pixels]
        found += [(one, other) for one, other in itertools.pairwise(mine) if one.pixels != other.pixels]
    return found


def _quantile(probability: float, freedom: int) -> float:
    from scipy import special

    return float(special.stdtrit(freedom, probability))
