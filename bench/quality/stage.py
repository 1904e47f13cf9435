"""The quality stage: which pairs each method gets, and the files that come out."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import torch

from upbench.bench import host
from upbench.bench.adapters import Adapter, select
from upbench.bench.devices import device
from upbench.bench.errors import FailedError, SkippedError
from upbench.bench.keys import key, method_digests
from upbench.bench.lock import alone_in_its_folder
from upbench.bench.quality.evaluate import QUALITY_COLUMNS, score
from upbench.bench.quality.files import COMPARISON_COLUMNS, IMAGE_COLUMNS, KEYS, comparisons, per_image
from upbench.bench.quality.looks import Looks
from upbench.bench.quality.pairs import KeptPairs
from upbench.bench.quality.request import QualityRequest
from upbench.bench.stage import Outcome, Progress, Row, concluded
from upbench.bench.store import Journal, write_csv, write_json
from upbench.bench.workers.crew import Crew
from upbench.bench.workers.walls import RemoteUpsampler, Walls
from upbench.datasets.catalogue import open_dataset
from upbench.datasets.errors import DataError
from upbench.datasets.source import Dataset

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
    def name(self) -> str:
        """What tells its row from all others."""
        return f"{self.degradation}/x{self.scale}/{self.dtype}/{self.adapter.name}"


def tasks(request: QualityRequest, adapters: list[Adapter]) -> list[Task]:
    """Every row that is asked for, in the order of the file."""
    return [
        Task(adapter=adapter, degradation=degradation, scale=scale, dtype=dtype)
        for degradation in request.degradations
        for scale in request.scales
        for dtype in request.dtypes
        for adapter in adapters
    ]


def about(dataset: Dataset, device: str) -> dict[str, str]:
    """What `quality.json` says: the data, the device and the protocol."""
    return {
        "dataset": dataset.name,
        "split": dataset.split,
        "description": dataset.description,
        "device": device,
        "protocol": PROTOCOL,
    }


@alone_in_its_folder
def run(request: QualityRequest, out: Path, progress: Progress) -> Outcome:
    """Measure every row, write `quality.csv` and what goes with it."""
    place = device(request.device)
    adapters = select(request.methods, request.method)
    dataset = open_dataset(
        request.dataset, split=request.split, data=request.data, limit=request.limit, say=progress.warn
    )
    with Crew(place) as crew:
        crew.require_own(adapters)
        progress.say(f"quality: {dataset.description}, on {place}.")
        write_json(out / "host.json", {"host": host.fingerprint()})
        stage = Stage(request, adapters, dataset, crew)
        looks = Looks(request, stage.pairs, place)
        rows = stage.measure(out, progress, looks)
        looks.finish(rows, adapters, out)
        write(request, rows, stage.about, out)
        stage.journal.finish()
    return concluded("quality", rows, progress)


class Stage:
    """All that is asked over one dataset, by one crew."""

    def __init__(self, request: QualityRequest, adapters: list[Adapter], dataset: Dataset, crew: Crew) -> None:
        """Rows come in the order of degradations, scales, dtypes and methods."""
        self.request, self.adapters, self.crew = request, adapters, crew
        self.tasks = tasks(request, adapters)
        self.pairs = KeptPairs(dataset)
        self.about = about(dataset, str(crew.device))

    def measure(self, out: Path, progress: Progress, looks: Looks | None = None) -> list[Row]:
        """Score each task, going on from an interrupted run's journal when it asked for the same.

        A method's rows are measured one after the other in one worker, and `looks` has its look; each row is in the
        journal at once.
        """
        if self.crew.device.type == "cpu":
            torch.set_num_threads(1)  # the workers have the cores
        self.journal = Journal(out / "quality.journal", self.request.to_json(), self._keys(), name="row")
        before = {row["row"]: row for row in self.journal.rows}
        with progress.bar("quality", "row", len(self.tasks), len(before)) as bar:
            for adapter, row in self.crew.stream(self._asked(before, looks), partial(self._measure, before, looks)):
                self.journal.append(row)
                bar.step(adapter.name)
        measured = {row["row"]: row for row in self.journal.rows}
        return [measured[task.name] for task in self.tasks]

    def _asked(self, before: Mapping[str, Row], looks: Looks | None) -> list[Adapter]:
        """The methods that have a row left; all of them where they are looked at."""
        left = {task.adapter.name for task in self.tasks if task.name not in before}
        return [adapter for adapter in self.adapters if looks or adapter.name in left]

    def _keys(self) -> dict[str, str]:
        """What decides each row: the data, the protocol, the packages, the machine, and the method's whole module."""
        here = host.identity()
        about = [self.about, here["packages"], here["cpu"], here["gpu"], here["flags"]]
        sources = method_digests(self.adapters)
        return {task.name: key(about, task.name, sources[task.adapter.name]) for task in self.tasks}

    def _measure(self, before: Mapping[str, Row], looks: Looks | None, walls: Walls, adapter: Adapter) -> Iterator[Row]:
        """One method's rows that are left; those that differ in their degradation only share an upsampler."""
        own = [task for task in self.tasks if task.adapter == adapter]
        found = [before[task.name] for task in own if task.name in before]
        by_upsampler: dict[tuple[int, str], list[Task]] = {}
        for task in own:
            if task.name not in before:
                by_upsampler.setdefault((task.scale, task.dtype), []).append(task)
        for (scale, dtype), tasks in by_upsampler.items():
            upsampler = _or_reason(partial(walls.upsampler, adapter, scale, getattr(torch, dtype)))
            for task in tasks:
                values = (self.about["dataset"], self.about["split"], task.degradation, task.scale, adapter.name)
                row: Row = dict(zip(KEYS, values, strict=True)) | {"dtype": dtype, "status": "ok", "reason": ""}
                row["row"] = task.name
                row |= upsampler if isinstance(upsampler, dict) else _or_reason(partial(self._figures, upsampler, task))
                found.append(row)
                yield row
        able = {row["scale"] for row in found if row["status"] == "ok"}
        if looks and able:
            looks.take(walls, adapter, able)

    def _figures(self, upsampler: RemoteUpsampler, task: Task) -> Row:
        pairs = self.pairs.of(task.degradation, task.scale)
        scores = score(upsampler, pairs, task.scale, self.crew.device, getattr(torch, task.dtype))
        return scores.summary() | {"per_image": scores.as_dict()}


def write(request: QualityRequest, rows: list[Row], said: dict[str, str], out: Path) -> None:
    """Write the tables of finished rows, and `quality.json`, which says what they are of."""
    write_csv(out / "quality.csv", rows, QUALITY_COLUMNS)
    write_csv(out / "comparisons.csv", comparisons(rows), COMPARISON_COLUMNS)
    if request.per_image:
        write_csv(out / "quality-per-image.csv", per_image(rows), IMAGE_COLUMNS)
    write_json(out / "quality.json", said)


def _or_reason(attempt: Callable[[], T]) -> T | Row:
    """What an attempt returns; where it declines or breaks, the status and the reason of its row."""
    try:
        return attempt()
    except SkippedError as reason:
        return {"status": "skipped", "reason": str(reason)}
    except (FailedError, DataError) as reason:
        return {"status": "failed", "reason": str(reason)}
