"""The run's main setting as images: groups of names that give the same pixels, their quality and their times.

Time is from tensor to tensor: the conversions of a library that wants arrays are part of it. The rules of what differs:
a time is shorter where its third quartile lies under the other's first and the medians differ by 5 %; quality is
better by 0.05 dB or more with a 95 % interval (bootstrap over the images) that leaves zero out.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from upbench.bench.cells import COPY, PLAIN
from upbench.reports import families
from upbench.reports.frame import Run

SAME_DB = 0.05  # a difference that nobody sees
SAME_TIME = 1.05
WIDE = 0.2  # a time whose middle half spans more than this is told with its range
AXES = ["scale", "device", "dtype", "memory_format", "mode", "step", "threads"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """Seconds of a call, tensor to tensor: quartiles of the samples, and the part that converts."""

    low: float
    middle: float
    high: float
    conversion: float = 0.0
    cell: str = ""

    @property
    def wide(self) -> bool:
        """Whether the middle half of the samples spans so much that the median alone would mislead."""
        return self.high - self.low > WIDE * self.middle

    def shorter(self, other: "Time") -> bool:
        """Whether this is certainly shorter than the other."""
        return self.high < other.low and other.middle >= SAME_TIME * self.middle


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Name:
    """One method: its family and its times by workload."""

    name: str
    times: Mapping[str, Time] = field(default_factory=dict)

    @property
    def family(self) -> str:
        """Which colour and marker it has."""
        return families.of(self.name)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Image:
    """Names that give the same pixels, and the quality of those; nan where it was not measured."""

    title: str
    names: tuple[Name, ...]
    psnr_db: float = math.nan
    ssim: float = math.nan
    psnr_y_db: float = math.nan
    worst_db: float = math.nan

    def timed(self, workload: str) -> list[Name]:
        """Its names that were timed on a workload, fastest first."""
        return sorted((n for n in self.names if workload in n.times), key=lambda n: (n.times[workload].middle, n.name))

    def fastest(self, workload: str) -> Name | None:
        """Its fastest name there."""
        return next(iter(self.timed(workload)), None)

    def quickest(self, workload: str) -> tuple[Name, Time]:
        """Its fastest name and that one's time, on a workload on which it was timed."""
        name = self.timed(workload)[0]
        return name, name.times[workload]

    def time(self, workload: str) -> Time | None:
        """Its fastest name's time there."""
        name = self.fastest(workload)
        return name.times[workload] if name else None

    def called(self, name: str) -> Name | None:
        """The name, where it is one of these."""
        return next((each for each in self.names if each.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """Images, best PSNR first, of the first scale, degradation, dtype and device that were measured."""

    images: tuple[Image, ...]
    workloads: tuple[str, ...]
    scale: int
    degradation: str
    device: str
    threads: int
    copies: Mapping[str, float]
    apart: Mapping[tuple[str, str], float]  # names, first better: the end of the interval that is nearer to zero

    def better(self, one: Image, other: Image) -> bool:
        """Whether the first image's quality is certainly better."""
        if not one.psnr_db >= other.psnr_db + SAME_DB:
            return False
        known = [self.apart.get((a.name, b.name)) for a in one.names for b in other.names]
        ends = [end for end in known if end is not None]
        return not ends or max(ends) > 0

    def beats(self, one: Image, other: Image, workload: str) -> bool:
        """Whether the first is certainly better in one of quality and time, and not certainly worse in the other."""
        mine, theirs = one.time(workload), other.time(workload)
        if mine is None or theirs is None:
            return False
        better, worse = self.better(one, other), self.better(other, one)
        shorter, longer = mine.shorter(theirs), theirs.shorter(mine)
        return (better and not longer) or (shorter and not worse)

    def rated(self, workload: str) -> list[Image]:
        """Images with both a quality and a time there."""
        return [image for image in self.images if math.isfinite(image.psnr_db) and image.time(workload)]

    def front(self, workload: str) -> list[list[Image]]:
        """What nothing certainly beats, fastest first; images that tie in both time and quality stand together."""
        rated = self.rated(workload)
        kept = [image for image in rated if not any(self.beats(other, image, workload) for other in rated)]
        together: list[list[Image]] = []
        for image in sorted(kept or rated, key=lambda image: _middle(image, workload)):
            group = next((g for g in together if all(self._tie(image, each, workload) for each in g)), None)
            if group is None:
                together.append([image])
            else:
                group.append(image)
        return together

    def _tie(self, one: Image, other: Image, workload: str) -> bool:
        mine, theirs = one.time(workload), other.time(workload)
        assert mine is not None and theirs is not None
        return not (mine.shorter(theirs) or theirs.shorter(mine) or self.better(one, other) or self.better(other, one))

    def of(self, name: str) -> Image | None:
        """The image that a method's name gives."""
        return next((image for image in self.images if image.called(name)), None)

    def today(self, workload: str) -> tuple[Image, Name] | None:
        """What people call today: torch's plain bicubic, or the best plain name that was measured."""
        for plain in reversed(PLAIN):
            image = self.of(plain)
            if image and (name := image.called(plain)) and workload in name.times:
                return image, name
        return None


def _middle(image: Image, workload: str) -> float:
    time = image.time(workload)
    return time.middle if time else math.inf


def survey(run: Run) -> Survey:
    """The main setting of a run; without images where neither quality nor speed was measured."""
    cells = main_speed(run.speed, with_copy=True)
    quality = main_quality(run.quality, int(cells["scale"].iloc[0]) if len(cells) else None)
    times = _times(cells[cells["method"] != COPY] if len(cells) else cells)
    first = quality.iloc[0] if len(quality) else {}
    copies = cells[cells["method"] == COPY] if len(cells) else cells
    return Survey(
        images=tuple(_images(quality, times)),
        workloads=tuple(dict.fromkeys(w for by in times.values() for w in by)),
        scale=int(first["scale"] if len(quality) else cells["scale"].iloc[0] if len(cells) else 0),
        degradation=str(first["degradation"]) if len(quality) else "",
        device=str(cells["device"].iloc[0]) if len(cells) else str(run.about.get("device", "cpu")),
        threads=int(cells["threads"].iloc[0]) if len(cells) else 1,
        copies=dict(zip(copies["workload"], copies["seconds"], strict=True)) if len(copies) else {},
        apart=_apart(run.comparisons, first),
    )


def main_speed(speed: pd.DataFrame, *, with_copy: bool = False) -> pd.DataFrame:
    """The cells of the first device, dtype, format, mode, step, thread count and scale."""
    if speed.empty:
        return speed
    same = (speed[AXES] == speed.iloc[0][AXES]).all(axis=1)
    return speed[same & (with_copy | (speed["method"] != COPY))]


def main_quality(quality: pd.DataFrame, scale: int | None = None) -> pd.DataFrame:
    """The rows that have a figure, of the first degradation and dtype, and of that scale where it was measured."""
    if quality.empty:
        return quality
    first = quality.iloc[0]
    chosen = scale if scale in set(quality["scale"]) else first["scale"]
    same = (quality["degradation"] == first["degradation"]) & (quality["dtype"] == first["dtype"])
    return quality[same & (quality["scale"] == chosen) & (quality["status"] == "ok")]


def _times(cells: pd.DataFrame) -> dict[str, dict[str, Time]]:
    found: dict[str, dict[str, Time]] = {}
    for row in cells.to_dict("records"):
        conversion = float(row["conversion_seconds"])
        low, middle, high = (float(row[name]) + conversion for name in ("q1", "seconds", "q3"))
        time = Time(low=low, middle=middle, high=high, conversion=conversion, cell=str(row.get("cell", "")))
        found.setdefault(str(row["method"]), {})[str(row["workload"])] = time
    return found


def _images(quality: pd.DataFrame, times: Mapping[str, Mapping[str, Time]]) -> Iterable[Image]:
    rows = {str(row["method"]): row for row in quality.to_dict("records")}
    groups: dict[str, list[str]] = {}
    for name in [*rows, *(name for name in times if name not in rows)]:
        pixels = rows.get(name, {}).get("pixels")
        groups.setdefault(pixels if isinstance(pixels, str) and pixels else name, []).append(name)
    images = []
    for members in groups.values():
        title = families.title(members)
        figures = rows.get(title, rows.get(members[0], {}))
        named = tuple(Name(name=name, times=times.get(name, {})) for name in members)
        images.append(Image(title=title, names=named, **_figures(figures)))
    return sorted(images, key=lambda image: (-image.psnr_db if math.isfinite(image.psnr_db) else math.inf, image.title))


def _figures(row: Mapping[str, Any]) -> dict[str, float]:
    columns = {"psnr_db": "psnr_db", "ssim": "ssim", "psnr_y_db": "psnr_y_db", "worst_db": "psnr_p5_db"}
    return {name: float(row.get(column, math.nan)) for name, column in columns.items()}


def _apart(comparisons: pd.DataFrame, first: Any) -> dict[tuple[str, str], float]:
    """For each pair of names, better one first, how far the interval of the PSNR difference stays from zero."""
    if comparisons.empty or not len(first):
        return {}
    axes = ["degradation", "scale", "dtype"]
    here = comparisons[(comparisons[axes] == [first[axis] for axis in axes]).all(axis=1)]
    found: dict[tuple[str, str], float] = {}
    for one, other, low, high in zip(
        here["method"], here["other"], here["psnr_db_low"], here["psnr_db_high"], strict=True
    ):
        found[one, other], found[other, one] = low, -high
    return found
