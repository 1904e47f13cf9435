"""Pixels where they break: the edges of the space of shapes, asked of both sides without a clock.

Sizes around powers of two and tiny ones, odd by even, channels, batch 0 and 1, channels_last and strided inputs, scale
factors that are no whole numbers, the output given as a size, and every dtype. Inputs are bytes of SHAKE-128 (FIPS
202), so that no version of anything draws others. Each method is asked once, whatever workloads are timed.
"""

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from upbench.bench.cells import DTYPES, Cell
from upbench.bench.errors import FailedError
from upbench.bench.gate.duet import Pair, Row
from upbench.bench.gate.edges.words import GAINED, LOST
from upbench.bench.gate.pixels import CHANGED, IDENTICAL, ROUNDING, compare
from upbench.bench.gate.sides.side import Question

SIZES = (1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33)
OBLONG = ((7, 8), (17, 32), (33, 2), (1, 9), (16, 3))
LAYOUTS = ("contiguous", "channels_last", "strided")
FACTORS = ("1.5", "2.05")
SIZE_FORM = "size"  # scale 2, given as the output's size
CLASSIFIED = 1000  # differing cases of a method whose images are looked at, smallest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One untimed call. `factor` is a scale factor, or `size` for twice the input given as a size."""

    shape: tuple[int, int, int, int]
    dtype: str = "float32"
    layout: str = "contiguous"
    factor: str = "2"

    @property
    def name(self) -> str:
        """For example `1x3x7x8 float32 contiguous x2`."""
        factor = self.factor if self.factor == SIZE_FORM else f"x{self.factor}"
        return f"{'x'.join(map(str, self.shape))} {self.dtype} {self.layout} {factor}"

    @classmethod
    def parse(cls, name: str) -> "Case":
        """Read `name` back."""
        shape, dtype, layout, factor = name.split()
        n, c, h, w = (int(side) for side in shape.split("x"))
        return cls(shape=(n, c, h, w), dtype=dtype, layout=layout, factor=factor.removeprefix("x"))


def cases(dtype: str, *, forms: bool) -> list[Case]:
    """The cases of a dtype, smallest inputs first; `forms`: with factors and sizes beyond whole scales."""
    return sorted(dict.fromkeys(_cases(dtype, forms=forms)), key=lambda case: (prod(case.shape), case.name))


def _cases(dtype: str, *, forms: bool) -> Iterator[Case]:
    planes = [*((size, size) for size in SIZES), *OBLONG]
    factors = ("2", *FACTORS, SIZE_FORM) if forms else ("2",)
    for plane, layout, factor in itertools.product(planes, LAYOUTS, factors):
        yield Case(shape=(1, 3, *plane), dtype=dtype, layout=layout, factor=factor)
    for plane, channels, layout in itertools.product(planes, (1, 2, 4, 5), LAYOUTS[:2]):
        yield Case(shape=(1, channels, *plane), dtype=dtype, layout=layout)
    for batch, plane, layout in itertools.product((0, 2, 5), ((8, 8), (7, 8)), LAYOUTS):
        yield Case(shape=(batch, 3, *plane), dtype=dtype, layout=layout)


def ask(pair: Pair, question: Question, folder: Path) -> Row:
    """Both sides' answers to every case of a method, compared; images are exchanged in `folder`."""
    found: Row = {"cases": 0, "counts": Counter(), "smallest": {}, "broken": []}
    for dtype in DTYPES:
        try:
            answers = [_answers(pair, index, question, dtype) for index in (0, 1)]
        except FailedError as error:
            found["broken"].append(f"{dtype}: {error}")
            continue
        _meet(pair, question, answers, folder, found)
    found["counts"] = dict(found["counts"])
    return found


def _answers(pair: Pair, index: int, question: Question, dtype: str) -> dict[str, str]:
    device = Cell.parse(question.name).device
    request = {"ask": "edges", "method": question.method_of(index), "dtype": dtype, "device": device}
    answers: dict[str, str] = pair.ask(index, request)["answers"]
    return answers


def _meet(pair: Pair, question: Question, answers: list[dict[str, str]], folder: Path, found: Row) -> None:
    """Count how each case ended, and keep the smallest input of each kind of difference."""
    looked = 0
    for name, one in answers[0].items():
        other = answers[1].get(name, "")
        found["cases"] += 1
        refusals = [answer.startswith("!") or not answer for answer in (one, other)]
        if refusals[0] or refusals[1]:
            kind = "refused" if refusals[0] and refusals[1] else LOST if refusals[1] else GAINED
            about: Row = {"case": name, "reason": (other if refusals[1] else one).removeprefix("!")}
        elif one == other:
            kind, about = IDENTICAL, {"case": name}
        elif looked == CLASSIFIED:
            kind, about = "other bits", {"case": name}
        else:
            looked += 1
            kind, about = _difference(pair, question, name, folder)
        found["counts"][kind] += 1
        kept = found["smallest"].get(kind)
        if kind not in (IDENTICAL, "refused") and (kept is None or _size(name) < _size(kept["case"])):
            found["smallest"][kind] = about


def _size(name: str) -> int:
    return prod(Case.parse(name).shape)


def _difference(pair: Pair, question: Question, name: str, folder: Path) -> tuple[str, Row]:
    images = [folder / f"edge-{index}.npy" for index in (0, 1)]
    device = Cell.parse(question.name).device
    for index, image in enumerate(images):
        method = question.method_of(index)
        pair.ask(index, {"ask": "edge", "method": method, "case": name, "device": device, "file": str(image)})
    one, other = (np.load(image) for image in images)
    try:
        pixels = compare(one, other, one, Case.parse(name).dtype)
    except ValueError as error:
        return CHANGED, {"case": name, "reason": str(error)}
    about = {"case": name, "largest": pixels.largest, "ulps": pixels.ulps, "steps": pixels.steps}
    return ROUNDING if pixels.status == IDENTICAL else pixels.status, about
