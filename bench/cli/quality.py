"""`upbench quality`: PSNR and SSIM of every method over a dataset's high/low pairs."""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch
from tqdm import tqdm

from upbench.bench import host, samples
from upbench.bench.adapters import Adapter, select
from upbench.bench.cli import options
from upbench.bench.cli.speed import say_outcome
from upbench.bench.conformance import conforming
from upbench.bench.diagnose import EDGE_COLUMNS, edge_row
from upbench.bench.errors import FailedError, SkippedError
from upbench.bench.evaluate import QUALITY_COLUMNS, score
from upbench.bench.store import Journal, replacing, write_json
from upbench.datasets.catalogue import open_dataset
from upbench.datasets.pairs import DEGRADATIONS, Pair, make_pairs
from upbench.datasets.source import DataError, Dataset

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers

IMAGES_KEPT_IN_MEMORY = 20_000

PROTOCOL = (
    "Low-resolution images are quantised to 8 bit. Methods get float32 RGB in [0, 1]; their output is clamped and"
    " rounded to 8 bit. PSNR (dB, peak 255) and SSIM (Gaussian window 11x11, sigma 1.5, population covariance,"
    " windows wholly inside the image) are taken per image over RGB, uncropped, and averaged; identical images"
    " (PSNR inf) are counted apart. psnr_y_db is PSNR of BT.601 studio-range Y with a border of the scale cropped."
)


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "quality",
        help="measure PSNR and SSIM over high/low-resolution pairs and write quality.csv",
        example="upbench quality --dataset photos --methods bilinear bicubic --scales 2 4",
    )
    options.add_methods(parser)
    options.add_scales(parser)
    options.add_device(parser)
    options.add_quality_options(parser)
    options.add_out(parser)
    parser.set_defaults(run=run)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One row to measure."""

    adapter: Adapter
    degradation: str
    scale: int


def run(arguments: argparse.Namespace) -> int:
    """Measure every row, write `quality.csv`, `samples.npz` and `host.json`."""
    device = options.device(arguments.device)
    for name in arguments.degradations:
        if name not in DEGRADATIONS:
            raise DataError(f"There is no degradation {name!r}; choose from {', '.join(DEGRADATIONS)}.")
    adapters = select(arguments.methods, arguments.method)
    dataset = open_dataset(
        arguments.dataset,
        split=arguments.split,
        data=arguments.data,
        limit=arguments.limit,
        say=lambda text: print(f"upbench: {text}", file=sys.stderr),
    )
    print(f"quality: {dataset.description}, on {device}.")
    write_json(arguments.out / "host.json", {"host": host.fingerprint()})
    rows = measure(_tasks(adapters, arguments), dataset, device, arguments)
    return say_outcome(rows, "quality")


def measure(
    tasks: list[Task], dataset: Dataset, device: torch.device, arguments: argparse.Namespace
) -> list[dict[str, Any]]:
    """Score each task, resuming from an interrupted run's journal, and write the stage's files."""
    about = {
        "dataset": dataset.name,
        "split": dataset.split,
        "description": dataset.description,
        "device": str(device),
        "protocol": PROTOCOL,
        "degradation": tasks[0].degradation,
        "scale": tasks[0].scale,
    }
    asked = [f"{task.adapter.name} {task.degradation} x{task.scale}" for task in tasks]
    journal = Journal(
        arguments.out / "quality.journal", about | {"tasks": asked, "packages": host.identity()["packages"]}
    )
    pairs = _PairCache(dataset)
    progress = tqdm(tasks, desc="quality", unit="row", file=sys.stderr, mininterval=0.5)
    for index, task in enumerate(progress):
        progress.set_postfix_str(task.adapter.name, refresh=False)
        if index >= len(journal.rows):
            journal.append(_row(task, dataset, pairs, device))
    _write_tables(journal.rows, arguments)
    _write_samples(tasks, pairs, device, arguments.out)
    _write_diagnostics(tasks, device, arguments.out)
    write_json(arguments.out / "quality.json", about)
    journal.finish()
    return journal.rows


def _tasks(adapters: list[Adapter], arguments: argparse.Namespace) -> list[Task]:
    return [
        Task(adapter=adapter, degradation=degradation, scale=scale)
        for degradation in arguments.degradations
        for scale in arguments.scales
        for adapter in adapters
    ]


class _PairCache:
    """Pairs of one degradation and scale at a time; kept for the next method where they are few."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.kept: tuple[tuple[str, int], list[Pair]] | None = None

    def get(self, degradation: str, scale: int) -> Iterator[Pair]:
        if self.kept and self.kept[0] == (degradation, scale):
            yield from self.kept[1]
            return
        seen: list[Pair] = []
        keep = not self.dataset.crops and len(self.dataset) <= IMAGES_KEPT_IN_MEMORY
        for pair in make_pairs(self.dataset, degradation, scale):
            if keep:
                seen.append(pair)
            yield pair
        self.kept = ((degradation, scale), seen) if keep else None


def _row(task: Task, dataset: Dataset, pairs: _PairCache, device: torch.device) -> dict[str, Any]:
    row: dict[str, Any] = {
        "dataset": dataset.name,
        "split": dataset.split,
        "degradation": task.degradation,
        "scale": task.scale,
        "method": task.adapter.name,
        "status": "ok",
        "reason": "",
    }
    try:
        upsampler = conforming(task.adapter, task.scale, device, torch.float32)
        scores = score(upsampler, pairs.get(task.degradation, task.scale), task.scale, device)
    except SkippedError as reason:
        return row | {"status": "skipped", "reason": str(reason)}
    except (FailedError, DataError) as reason:
        return row | {"status": "failed", "reason": str(reason)}
    return row | scores.summary() | {"per_image": scores.as_dict()}


def _write_tables(rows: list[dict[str, Any]], arguments: argparse.Namespace) -> None:
    table = pd.DataFrame(rows, columns=list(QUALITY_COLUMNS))
    for count in ("images", "identical"):
        table[count] = table[count].astype("Int64")
    with replacing(arguments.out / "quality.csv") as temporary:
        table.to_csv(temporary, index=False)
    if arguments.per_image:
        keys = ["dataset", "split", "degradation", "scale", "method"]
        parts = [
            pd.DataFrame(row["per_image"]).assign(**{key: row[key] for key in keys})
            for row in rows
            if row["status"] == "ok"
        ]
        everything = pd.concat(parts) if parts else pd.DataFrame(columns=[*keys, "ids"])
        with replacing(arguments.out / "quality-per-image.csv") as temporary:
            everything.rename(columns={"ids": "image"}).to_csv(temporary, index=False)


def _write_samples(tasks: list[Task], pairs: _PairCache, device: torch.device, out: Path) -> None:
    """Keep a few images for the report's pictures, where the first degradation and scale can make any."""
    first = tasks[0]
    try:
        pair = next(iter(pairs.get(first.degradation, first.scale)))
    except DataError:
        return  # the rows say why
    adapters = [task.adapter for task in tasks if (task.degradation, task.scale) == (first.degradation, first.scale)]
    samples.write(out / "samples.npz", samples.collect(adapters, pair, first.scale, device))


def _write_diagnostics(tasks: list[Task], device: torch.device, out: Path) -> None:
    """Measure each method on the synthetic edge, once for each scale."""
    unique = {(task.adapter.name, task.scale): task for task in tasks}
    rows = [edge_row(task.adapter, task.scale, device) for task in unique.values()]
    with replacing(out / "diagnostics.csv") as temporary:
        pd.DataFrame(rows, columns=list(EDGE_COLUMNS)).to_csv(temporary, index=False)
