"""The quality stage: which pairs each method gets, and the files that come out."""

import os
import sys
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from tqdm import tqdm

from upbench.bench import bootstrap, groups, host, samples
from upbench.bench.adapters import Adapter
from upbench.bench.conformance import conforming
from upbench.bench.errors import FailedError, SkippedError
from upbench.bench.evaluate import QUALITY_COLUMNS, score
from upbench.bench.store import Journal, replacing, write_json
from upbench.datasets.pairs import Pair, make_pairs
from upbench.datasets.source import DataError, Dataset

IMAGES_KEPT_IN_MEMORY = 20_000
KEYS = ["dataset", "split", "degradation", "scale", "method"]
COUNTS = {"images", "identical"}
COMPARISON_COLUMNS = ["degradation", "scale", "dtype", *bootstrap.COLUMNS]
IMAGE_COLUMNS = [*KEYS, "dtype", "image", "psnr_db", "ssim", "psnr_y_db"]

PROTOCOL = (
    "Low-resolution images are quantised to 8 bit. Methods get float32 RGB in [0, 1]; their output is clamped and"
    " rounded to 8 bit. PSNR (dB, peak 255) and SSIM (Gaussian window 11x11, sigma 1.5, population covariance,"
    " windows wholly inside the image) are taken per image over RGB, uncropped, and averaged; identical images"
    " (PSNR inf) are counted apart. PSNR-Y is of BT.601 studio-range luma with a border of the scale cropped."
)

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One row to measure."""

    adapter: Adapter
    degradation: str
    scale: int
    dtype: str = "float32"


class Stage:
    """All tasks over one dataset, on one device, into one folder."""

    def __init__(self, tasks: list[Task], dataset: Dataset, device: torch.device, out: Path) -> None:
        """`tasks` come grouped by degradation and scale."""
        self.tasks, self.dataset, self.device, self.out = tasks, dataset, device, out
        self._kept: dict[tuple[str, int], list[Pair]] = {}
        self._building = threading.Lock()
        self.about = {
            "dataset": dataset.name,
            "split": dataset.split,
            "description": dataset.description,
            "device": str(device),
            "protocol": PROTOCOL,
        }

    def measure(self, digests: dict[str, str]) -> list[Row]:
        """Score each task, going on from an interrupted run's journal when it asked for the same."""
        request = self.about | {
            "tasks": [f"{t.adapter.name} {t.degradation} x{t.scale} {t.dtype}" for t in self.tasks],
            "packages": host.identity()["packages"],
            "digests": digests,
        }
        self.journal = Journal(self.out / "quality.journal", request)
        done = len(self.journal.rows)
        bar = tqdm(total=len(self.tasks), initial=done, desc="quality", unit="row", file=sys.stderr, mininterval=0.5)
        with bar, ThreadPoolExecutor(self._workers()) as pool:
            for row in pool.map(self._row, self.tasks[done:]):
                self.journal.append(row)
                bar.set_postfix_str(row["method"], refresh=False)
                bar.update()
        return self.journal.rows

    def _workers(self) -> int:
        """Methods scored at the same time: one for each core, of one torch thread each; one on a GPU."""
        if self.device.type != "cpu":
            return 1
        torch.set_num_threads(1)
        return os.cpu_count() or 1

    def write(self, rows: list[Row], *, per_image: bool) -> None:
        """Write `quality.csv` and what goes with it; then the journal has done its work."""
        pixels = self._groups()
        for row in rows:
            row["pixels"] = pixels.get((row["degradation"], row["scale"], row["method"]), "")
        _write_csv(self.out / "quality.csv", rows, list(QUALITY_COLUMNS))
        _write_csv(self.out / "comparisons.csv", _comparisons(rows), COMPARISON_COLUMNS)
        if per_image:
            _write_csv(self.out / "quality-per-image.csv", _per_image(rows), IMAGE_COLUMNS)
        self._write_samples()
        write_json(self.out / "quality.json", self.about)
        self.journal.finish()

    def _row(self, task: Task) -> Row:
        values = (self.dataset.name, self.dataset.split, task.degradation, task.scale, task.adapter.name)
        row: Row = dict(zip(KEYS, values, strict=True)) | {"dtype": task.dtype, "status": "ok", "reason": ""}
        dtype = getattr(torch, task.dtype)
        try:
            with self._building:  # factories may draw from the global random state
                upsampler = conforming(task.adapter, task.scale, self.device, dtype)
            scores = score(upsampler, self._pairs(task.degradation, task.scale), task.scale, self.device, dtype)
        except SkippedError as reason:
            return row | {"status": "skipped", "reason": str(reason)}
        except (FailedError, DataError) as reason:
            return row | {"status": "failed", "reason": str(reason)}
        return row | scores.summary() | {"per_image": scores.as_dict()}

    def _pairs(self, degradation: str, scale: int) -> Iterator[Pair]:
        """The pairs of one degradation and scale; the last two are kept for the next method where they are few."""
        if self.dataset.crops or len(self.dataset) > IMAGES_KEPT_IN_MEMORY:
            yield from make_pairs(self.dataset, degradation, scale)
            return
        key = (degradation, scale)
        with self._building:
            if key not in self._kept:
                recent = list(self._kept.items())[-1:]
                self._kept = dict(recent) | {key: list(make_pairs(self.dataset, degradation, scale))}
            pairs = self._kept[key]
        yield from pairs

    def _by_shape(self) -> dict[tuple[str, int], list[Adapter]]:
        """The adapters of each (degradation, scale), in order, without repeats."""
        found: dict[tuple[str, int], list[Adapter]] = {}
        for task in self.tasks:
            known = found.setdefault((task.degradation, task.scale), [])
            if task.adapter not in known:
                known.append(task.adapter)
        return found

    def _groups(self) -> dict[tuple[str, int, str], str]:
        """(degradation, scale, method) -> name of the group that makes the same pixels."""
        found: dict[tuple[str, int, str], str] = {}
        for (degradation, scale), adapters in self._by_shape().items():
            try:
                pair = next(self._pairs(degradation, scale))
            except DataError:
                continue  # the rows say why
            for method, leader in groups.group(adapters, pair.low, scale, self.device).items():
                found[degradation, scale, method] = leader
        return found

    def _write_samples(self) -> None:
        """Keep a few images for the report's pictures, where the first degradation and scale can make any."""
        (degradation, scale), adapters = next(iter(self._by_shape().items()))
        try:
            pair = next(self._pairs(degradation, scale))
        except DataError:
            return  # the rows say why
        samples.write(self.out / "samples.npz", samples.collect(adapters, pair, scale, self.device))


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


def _write_csv(path: Path, rows: Iterable[Row], columns: list[str]) -> None:
    """Full precision; counts stay whole numbers where other rows have none."""
    table = pd.DataFrame(rows, columns=columns)
    for count in COUNTS & set(table):
        table[count] = table[count].astype("Int64")
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False)
