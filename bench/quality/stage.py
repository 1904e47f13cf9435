"""The quality stage: which pairs each method gets, and the files that come out."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from upbench.bench import host
from upbench.bench.adapters import Adapter, digests, resolve
from upbench.bench.conformance import conforming
from upbench.bench.devices import device
from upbench.bench.errors import FailedError, SkippedError
from upbench.bench.quality import bootstrap, groups, samples
from upbench.bench.quality.evaluate import QUALITY_COLUMNS, score
from upbench.bench.quality.request import QualityRequest
from upbench.bench.stage import Bar, Outcome, Progress, Row, concluded
from upbench.bench.store import Journal, write_csv, write_json
from upbench.bench.upsampler import Upsampler
from upbench.datasets.catalogue import open_dataset
from upbench.datasets.errors import DataError
from upbench.datasets.pairs import Pair, make_pairs
from upbench.datasets.source import Dataset

IMAGES_KEPT_IN_MEMORY = 20_000
KEYS = ["dataset", "split", "degradation", "scale", "method"]
COMPARISON_COLUMNS = ["degradation", "scale", "dtype", *bootstrap.COLUMNS]
IMAGE_COLUMNS = [*KEYS, "dtype", "image", "psnr_db", "ssim", "psnr_y_db"]

PROTOCOL = (
    "Low-resolution images are quantised to 8 bit. Methods get float32 RGB in [0, 1]; their output is clamped and"
    " rounded to 8 bit. PSNR (dB, peak 255) and SSIM (Gaussian window 11x11, sigma 1.5, population covariance,"
    " windows wholly inside the image) are taken per image over RGB, uncropped, and averaged; identical images"
    " (PSNR inf) are counted apart. PSNR-Y is of BT.601 studio-range luma with a border of the scale cropped."
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One row to measure."""

    adapter: Adapter
    degradation: str
    scale: int
    dtype: str = "float32"

    @property
    def key(self) -> tuple[str, int, str, str]:
        """What tells its row from all others."""
        return self.degradation, self.scale, self.dtype, self.adapter.name


def run(request: QualityRequest, out: Path, progress: Progress) -> Outcome:
    """Measure every row, write `quality.csv` and what goes with it."""
    place = device(request.device)
    adapters = resolve(request.methods, request.method)
    dataset = open_dataset(
        request.dataset, split=request.split, data=request.data, limit=request.limit, say=progress.warn
    )
    progress.say(f"quality: {dataset.description}, on {place}.")
    write_json(out / "host.json", {"host": host.fingerprint()})
    tasks = [
        Task(adapter=adapter, degradation=degradation, scale=scale, dtype=dtype)
        for degradation in request.degradations
        for scale in request.scales
        for dtype in request.dtypes
        for adapter in adapters
    ]
    stage = Stage(tasks, dataset, place, out)
    rows = stage.measure(request, progress)
    stage.write(rows, per_image=request.per_image)
    return concluded("quality", rows, progress)


class Stage:
    """All tasks over one dataset, on one device, into one folder."""

    def __init__(self, tasks: list[Task], dataset: Dataset, device: torch.device, out: Path) -> None:
        """`tasks` come in the order that their rows shall have."""
        self.tasks, self.dataset, self.device, self.out = tasks, dataset, device, out
        self._kept: dict[tuple[str, int], list[Pair]] = {}
        self._building, self._sharing = threading.Lock(), threading.Lock()
        self.about = {
            "dataset": dataset.name,
            "split": dataset.split,
            "description": dataset.description,
            "device": str(device),
            "protocol": PROTOCOL,
        }

    def measure(self, request: QualityRequest, progress: Progress) -> list[Row]:
        """Score each task, going on from an interrupted run's journal when it asked for the same.

        A method's rows are measured one after the other by one upsampler, which no other thread uses.
        """
        asked = {
            "request": request.to_json(),
            "tasks": [" ".join(map(str, task.key)) for task in self.tasks],
            "data": self.about,
            "packages": host.identity()["packages"],
            "digests": digests(request.method),
        }
        self.journal = Journal(self.out / "quality.journal", asked)
        before = {_key(row) for row in self.journal.rows}
        by_upsampler: dict[tuple[int, str, str], list[Task]] = {}
        for task in self.tasks:
            if task.key not in before:
                by_upsampler.setdefault(task.key[1:], []).append(task)
        with (
            progress.bar("quality", "row", len(self.tasks), len(before)) as bar,
            ThreadPoolExecutor(self._workers()) as pool,
        ):
            for _ in pool.map(partial(self._measure, bar), by_upsampler.values()):
                pass
        measured = {_key(row): row for row in self.journal.rows}
        return [measured[task.key] for task in self.tasks]

    def _workers(self) -> int:
        """Methods scored at the same time: one for each core, of one torch thread each; one on a GPU."""
        if self.device.type != "cpu":
            return 1
        torch.set_num_threads(1)
        return os.cpu_count() or 1

    def _measure(self, bar: Bar, tasks: list[Task]) -> None:
        """Tasks that differ in their degradation only; each row is in the journal as soon as it is measured."""
        upsampler = _or_reason(partial(self._conforming, tasks[0]))
        for task in tasks:
            values = (self.dataset.name, self.dataset.split, task.degradation, task.scale, task.adapter.name)
            row: Row = dict(zip(KEYS, values, strict=True)) | {"dtype": task.dtype, "status": "ok", "reason": ""}
            row |= upsampler if isinstance(upsampler, dict) else _or_reason(partial(self._figures, upsampler, task))
            with self._sharing:
                self.journal.append(row)
                bar.step(task.adapter.name)

    def _conforming(self, task: Task) -> Upsampler:
        with self._building:  # factories may draw from the global random state
            return conforming(task.adapter, task.scale, self.device, getattr(torch, task.dtype))

    def _figures(self, upsampler: Upsampler, task: Task) -> Row:
        pairs = self._pairs(task.degradation, task.scale)
        scores = score(upsampler, pairs, task.scale, self.device, getattr(torch, task.dtype))
        return scores.summary() | {"per_image": scores.as_dict()}

    def _pairs(self, degradation: str, scale: int) -> Iterator[Pair]:
        """The pairs of one degradation and scale; they are kept for the next method where they are few."""
        if self.dataset.crops or len(self.dataset) > IMAGES_KEPT_IN_MEMORY:
            yield from make_pairs(self.dataset, degradation, scale)
            return
        key = (degradation, scale)
        with self._sharing:
            if key not in self._kept:
                self._kept[key] = list(make_pairs(self.dataset, degradation, scale))
        yield from self._kept[key]

    def write(self, rows: list[Row], *, per_image: bool) -> None:
        """Write `quality.csv` and what goes with it; then the journal has done its work."""
        measured = self._measured(rows)
        pixels = {
            (scale, method): leader
            for scale, adapters in measured.items()
            for method, leader in groups.group(adapters, self._probes(scale), scale, self.device).items()
        }
        for row in rows:
            row["pixels"] = pixels.get((row["scale"], row["method"]), "")
        write_csv(self.out / "quality.csv", rows, QUALITY_COLUMNS)
        write_csv(self.out / "comparisons.csv", _comparisons(rows), COMPARISON_COLUMNS)
        if per_image:
            write_csv(self.out / "quality-per-image.csv", _per_image(rows), IMAGE_COLUMNS)
        if measured:
            scale, adapters = next(iter(measured.items()))
            pair = next(self._pairs(self.tasks[0].degradation, scale))
            samples.write(self.out / "samples.npz", samples.collect(adapters, pair, scale, self.device))
        write_json(self.out / "quality.json", self.about)
        self.journal.finish()

    def _measured(self, rows: list[Row]) -> dict[int, list[Adapter]]:
        """The adapters that have a figure at each scale, in order."""
        found: dict[int, dict[str, Adapter]] = {}
        for task, row in zip(self.tasks, rows, strict=True):
            if row["status"] == "ok":
                found.setdefault(task.scale, {})[task.adapter.name] = task.adapter
        return {scale: list(adapters.values()) for scale, adapters in found.items()}

    def _probes(self, scale: int) -> Tensor:
        """Low-resolution images on which methods' pixels are compared: the first ones, by every degradation."""
        degradations = dict.fromkeys(task.degradation for task in self.tasks)
        pairs = (next(self._pairs(degradation, scale)) for degradation in degradations)
        return torch.cat([pair.low[: groups.PROBES] for pair in pairs])


def _or_reason(attempt: Callable[[], T]) -> T | Row:
    """What an attempt returns; where it declines or breaks, the status and the reason of its row."""
    try:
        return attempt()
    except SkippedError as reason:
        return {"status": "skipped", "reason": str(reason)}
    except (FailedError, DataError) as reason:
        return {"status": "failed", "reason": str(reason)}


def _key(row: Row) -> tuple[str, int, str, str]:
    return row["degradation"], row["scale"], row["dtype"], row["method"]


def _comparisons(rows: list[Row]) -> list[Row]:
    """Methods in pairs within each degradation, scale and dtype."""
    measured: dict[tuple[str, int, str], dict[str, Any]] = {}
    for row in rows:
        if row["status"] == "ok":
            measured.setdefault((row["degradation"], row["scale"], row["dtype"]), {})[row["method"]] = row["per_image"]
    return [
        {"degradation": degradation, "scale": scale, "dtype": dtype} | pair
        for (degradation, scale, dtype), per_image in measured.items()
        for pair in bootstrap.pairs(per_image)
    ]


def _per_image(rows: list[Row]) -> Iterable[Row]:
    for row in rows:
        if row["status"] == "ok":
            columns = row["per_image"]
            for image, *values in zip(columns["ids"], *(columns[m] for m in columns if m != "ids"), strict=True):
                metrics = dict(zip((m for m in columns if m != "ids"), values, strict=True))
                yield {key: row[key] for key in [*KEYS, "dtype"]} | {"image": image} | metrics
