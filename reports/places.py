"""Places for labels: beside their points, on nothing else, inside the axes.

Each label has 84 places round its point: above and below at five alignments, and on both sides, in seven rings. What
two places cost each other is reckoned once; then a seeded descent from several beginnings moves one label at a time to
the place that costs least, and the cheapest end is taken. Lengths are pixels, y upwards.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Box = tuple[float, float, float, float]  # left, bottom, right, top
Array = np.ndarray[Any, np.dtype[np.float64]]

ALIGNMENTS = (0.5, 0.15, 0.85, 0.0, 1.0)  # the share of a label's width that lies left of its point
RINGS, BEGINNINGS, ROUNDS = 7, 16, 20
GAP = 3.0  # kept free round a label
COVERED, LINE, OUTSIDE = 20.0, 3.0, 200.0  # a square pixel of a mark, of a line, of what is outside
CROSSED = 900.0  # a leader under a label
ALONG = np.linspace(0.05, 0.95, 12)  # where a leader is looked at


@dataclass(frozen=True, slots=True)
class Label:
    """A point, and the size of the words that belong to it."""

    x: float
    y: float
    width: float
    height: float


def overlap(one: Box, other: Box) -> float:
    """The area that two boxes share."""
    return float(_areas(np.array([one]), np.array([other]))[0, 0])


def place(labels: Sequence[Label], taken: Sequence[Box], within: Box, lines: Sequence[Box] = ()) -> list[Box]:
    """A box for each label that covers as little as can be of marks, of the others, of their leaders, and of lines."""
    if not labels:
        return []
    options = np.array([_options(label) for label in labels])
    alone = np.array([_alone(boxes, label, taken, lines, within) for boxes, label in zip(options, labels, strict=True)])
    between = _between(options, labels)
    generator = np.random.default_rng(0)
    ends = [_descend(alone, between, generator, beginning) for beginning in range(BEGINNINGS)]
    chosen = min(ends, key=lambda end: _total(alone, between, end))
    return [_box(options[index, choice]) for index, choice in enumerate(chosen)]


def nearest(box: Box, x: float, y: float) -> tuple[float, float]:
    """The point of a box that is nearest to another: where a leader ends."""
    return min(max(x, box[0]), box[2]), min(max(y, box[1]), box[3])


def apart(values: list[float], step: float, low: float, high: float) -> list[float]:
    """Ascending values moved apart to at least `step`, within both ends."""
    lowest = list(np.maximum.accumulate([value - index * step for index, value in enumerate(values)]))
    moved = [place + index * step for index, place in enumerate(lowest)]
    over = max(0.0, (moved[-1] if moved else 0) - high)
    if over:
        for index in range(len(moved) - 1, -1, -1):
            limit = high - (len(moved) - 1 - index) * step
            moved[index] = min(moved[index], limit)
    return [max(place, low) for place in moved]


def _options(label: Label) -> list[Box]:
    boxes = []
    for ring in range(RINGS):
        reach = 8.0 + 9.0 * ring
        for bottom in (label.y + reach, label.y - reach - label.height):
            boxes += [_at(label, label.x - share * label.width, bottom) for share in ALIGNMENTS]
        for left in (label.x + reach, label.x - reach - label.width):
            boxes.append(_at(label, left, label.y - label.height / 2))
    return boxes


def _at(label: Label, left: float, bottom: float) -> Box:
    return left, bottom, left + label.width, bottom + label.height


def _box(row: Array) -> Box:
    left, bottom, right, top = (float(side) for side in row)
    return left, bottom, right, top


def _areas(some: Array, others: Array) -> Array:
    """The area that each of some boxes shares with each of others."""
    low = np.maximum(some[:, None, :2], others[None, :, :2])
    high = np.minimum(some[:, None, 2:], others[None, :, 2:])
    area: Array = np.clip(high - low, 0, None).prod(axis=2)
    return area


def _wider(boxes: Array) -> Array:
    wide: Array = boxes + np.array([-GAP, -GAP, GAP, GAP])
    return wide


def _alone(boxes: Array, label: Label, taken: Sequence[Box], lines: Sequence[Box], within: Box) -> Array:
    """What each place of a label costs by itself: what it covers, what is outside, how far it is from its point."""
    wide = _wider(boxes)
    covered = COVERED * _areas(wide, np.array(taken).reshape(-1, 4)).sum(axis=1)
    covered += LINE * _areas(wide, np.array(lines).reshape(-1, 4)).sum(axis=1)
    outside = (wide[:, 2] - wide[:, 0]) * (wide[:, 3] - wide[:, 1]) - _areas(wide, np.array([within]))[:, 0]
    distance = np.array([math.dist(nearest(_box(box), label.x, label.y), (label.x, label.y)) for box in boxes])
    cost: Array = covered + OUTSIDE * outside + distance**1.5
    return cost


def _between(options: Array, labels: Sequence[Label]) -> Array:
    """What two places of two labels cost each other, `(label, place, label, place)`: overlap, and leaders crossed."""
    count, places = options.shape[:2]
    flat = options.reshape(-1, 4)
    cost = 2 * COVERED * _areas(_wider(flat), flat)
    points = np.repeat([(label.x, label.y) for label in labels], places, axis=0)
    ends = np.clip(points, flat[:, :2], flat[:, 2:])
    crossed = np.zeros(cost.shape, dtype=bool)
    for share in ALONG:
        x, y = (points + share * (ends - points)).T
        inside = (
            (flat[:, 0] < x[:, None])
            & (x[:, None] < flat[:, 2])
            & (flat[:, 1] < y[:, None])
            & (y[:, None] < flat[:, 3])
        )
        crossed |= inside
    cost = cost + CROSSED * crossed
    both: Array = (cost + cost.T).reshape(count, places, count, places)
    for index in range(count):
        both[index, :, index, :] = 0
    return both


def _descend(alone: Array, between: Array, generator: np.random.Generator, beginning: int) -> list[int]:
    """From the places that are best by themselves, or from random ones, to where no single move helps."""
    count, places = alone.shape
    chosen = alone.argmin(axis=1) if beginning == 0 else generator.integers(places, size=count)
    for _ in range(ROUNDS):
        before = chosen.copy()
        for index in generator.permutation(count):
            costs = alone[index] + between[index, :, np.arange(count), chosen].sum(axis=0)
            chosen[index] = costs.argmin()
        if (chosen == before).all():
            break
    return [int(choice) for choice in chosen]


def _total(alone: Array, between: Array, chosen: Sequence[int]) -> float:
    count = range(len(chosen))
    pairs = sum(between[i, chosen[i], j, chosen[j]] for i in count for j in count if i < j)
    return float(sum(alone[i, chosen[i]] for i in count) + pairs)
