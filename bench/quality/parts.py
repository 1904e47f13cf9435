"""Quality of a part of the images, and parts joined: what comes out is what one run over all images gives, bit for bit.

A part begins at a multiple of the dataset's batch, so that every image is in the batch that it would be in.
"""

from pathlib import Path
from typing import Any

from upbench.bench import host
from upbench.bench.adapters import select
from upbench.bench.devices import device
from upbench.bench.quality.evaluate import Scores
from upbench.bench.quality.files import KEYS
from upbench.bench.quality.looks import Looks
from upbench.bench.quality.request import QualityRequest
from upbench.bench.quality.stage import Stage, about, tasks
from upbench.bench.stage import Progress, Row
from upbench.bench.store import write_json
from upbench.bench.workers.crew import Crew
from upbench.datasets.catalogue import open_dataset
from upbench.datasets.source import Dataset

PIXELS = "pixels.json"  # of the first part: each row's group of equal pixels
LEAST, MOST = 2, 64  # batches of a part


def describe(request: QualityRequest, progress: Progress) -> dict[str, Any]:
    """What the data is, the number of images, and of a batch."""
    found = _opened(request, progress)
    return {"about": about(found, str(device(request.device))), "size": len(found), "batch": found.batch}


def ranges(size: int, batch: int, workers: int) -> list[tuple[int, int]]:
    """Parts of `size` images, one for each worker, or more where they would be large: beginning one takes seconds."""
    batches = -(-size // batch)
    step = batch * min(MOST, max(LEAST, -(-batches // workers)))
    return [(first, min(first + step, size)) for first in range(0, size, step)]


def measure(request: QualityRequest, first: int, last: int, out: Path, progress: Progress) -> None:
    """Measure each row on the images from `first` to `last`, with one worker, into `quality.journal`.

    The first part also has `samples.npz` and the rows' groups, both of which are of the first images.
    """
    write_json(out / "host.json", {"host": host.fingerprint()})
    adapters = select(request.methods, request.method)
    with Crew(device(request.device), size=1) as crew:
        crew.require_own(adapters)
        stage = Stage(request, adapters, _opened(request, progress).part(first, last), crew)
        looks = None if first else Looks(request, stage.pairs, crew.device)
        rows = stage.measure(out, progress, looks)
        if looks:
            looks.finish(rows, adapters, out)
            write_json(out / PIXELS, {"rows": {row["row"]: row.get("pixels", "") for row in rows}})


def joined(request: QualityRequest, said: dict[str, str], parts: list[list[Row]], pixels: dict[str, str]) -> list[Row]:
    """The rows over all images, from the rows of each part in order; a row that a part lacks has that part's reason."""
    found = []
    for task in tasks(request, select(request.methods, request.method)):
        of_task = [row for part in parts for row in part if row["row"] == task.name]
        values = (said["dataset"], said["split"], task.degradation, task.scale, task.adapter.name)
        row: Row = dict(zip(KEYS, values, strict=True)) | {"dtype": task.dtype, "row": task.name}
        found.append(row | {"pixels": pixels.get(task.name, "")} | _figures(of_task))
    return found


def _figures(rows: list[Row]) -> Row:
    """One row's figures from those of its parts; where one was not measured, its status and reason."""
    for status in ("failed", "skipped"):
        for row in rows:
            if row["status"] == status:
                return {"status": status, "reason": row["reason"]}
    scores = Scores()
    for row in rows:
        for name, values in row["per_image"].items():
            getattr(scores, name).extend(values)
    return {"status": "ok", "reason": "", "per_image": scores.as_dict()} | scores.summary()


def _opened(request: QualityRequest, progress: Progress) -> Dataset:
    return open_dataset(request.dataset, split=request.split, data=request.data, limit=request.limit, say=progress.warn)
