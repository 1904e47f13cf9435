"""Files of a run in, tables (pandas) out. Summaries are made here, from raw samples, on reading."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from upbench.bench.cells import BEYOND_CACHE, COPY, WRITE
from upbench.reports import cuda_row
from upbench.reports.files import ReportError as ReportError
from upbench.reports.files import read_csv, read_json, read_samples

# Any of these is worth a report.
ENOUGH = (
    "quality.csv",
    "speed.json",
    "sweep.json",
    "versions.json",
    "watch.json",
    "atlas.json",
    "deploy.csv",
    "layers.csv",
)
SHAPE_AXES = ["workload", "scale", "device", "dtype", "memory_format", "threads"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one output folder holds; a stage that has not run is empty."""

    folder: Path
    host: dict[str, Any]
    quality: pd.DataFrame
    about: dict[str, Any]
    comparisons: pd.DataFrame
    diagnostics: pd.DataFrame
    response: pd.DataFrame
    speed: pd.DataFrame
    sweep: pd.DataFrame
    bandwidth: pd.DataFrame
    selfcheck: dict[str, Any]
    speed_host: dict[str, Any]
    cells: pd.DataFrame
    versions: list[dict[str, Any]]
    samples: dict[str, np.ndarray[Any, Any]]
    watch: dict[str, Any] = field(default_factory=dict)
    atlas: dict[str, Any] = field(default_factory=dict)
    front: dict[str, Any] = field(default_factory=dict)
    allocators: dict[str, Any] = field(default_factory=dict)
    raw: dict[str, list[float]] = field(default_factory=dict)


def read(folder: Path) -> Run:
    """Read whatever stages the folder holds.

    Raises `ReportError` when there are none, or a file is damaged.
    """
    if not any((folder / name).is_file() for name in ENOUGH):
        raise ReportError(f"{folder} holds no quality.csv and no speed.json; run `upbench bench` first.")
    document = read_json(folder / "speed.json")
    speed = _speed(folder / "speed.json", document)
    sweep = _speed(folder / "sweep.json", read_json(folder / "sweep.json"))
    return Run(
        folder=folder,
        host=read_json(folder / "host.json").get("host", {}),
        quality=read_csv(
            folder / "quality.csv", "degradation", "scale", "method", "psnr_db", "ssim", "status", "reason"
        ),
        about=read_json(folder / "quality.json"),
        comparisons=read_csv(folder / "comparisons.csv"),
        diagnostics=read_csv(folder / "diagnostics.csv", "method", "scale", "status", "reason"),
        response=read_csv(folder / "response.csv"),
        speed=without_yardsticks(speed),
        sweep=without_yardsticks(sweep),
        bandwidth=bandwidth(speed),
        selfcheck=read_json(folder / "selfcheck.json"),
        speed_host=document.get("machine_info", {}).get("upbench", {}),
        cells=pd.DataFrame(document.get("cells", []), columns=["cell", "status", "reason"]),
        versions=read_json(folder / "versions.json").get("comparisons", []),
        samples=read_samples(folder / "samples.npz"),
        watch=read_json(folder / "watch.json"),
        atlas=read_json(folder / "atlas.json"),
        front=read_json(folder / "front.json"),
        allocators=read_json(folder / "allocators.json"),
        raw=_raw(document),
    )


def speed_frame(document: dict[str, Any]) -> pd.DataFrame:
    """One row a measured cell: its axes, median seconds, quartiles, spread, throughput, and two shares.

    `spread` is (q3 - q1) / median; `megapixels_per_second` counts output pixels; `copy_share` is the time of a
    plain copy of the output over the cell's time: 1 means as fast as copying. `light_share` is the least time that
    the cell's bytes could take at the bandwidth of a large copy, over its time. On CUDA, `seconds` are the device's,
    with cold caches (`cuda_row`); `loop_seconds` are always those of blocks of calls.
    """
    frame = pd.DataFrame([_row(benchmark) for benchmark in document.get("benchmarks", [])])
    if frame.empty:
        return frame
    copies = frame[frame["method"] == COPY].set_index(SHAPE_AXES)["seconds"].rename("copy_seconds")
    frame = frame.join(copies, on=SHAPE_AXES)
    frame["copy_share"] = frame["copy_seconds"] / frame["seconds"]
    rates = bandwidth(frame).set_index(["device", "threads"])[COPY].to_dict()
    rate = [rates.get(place, np.nan) for place in zip(frame["device"], frame["threads"], strict=True)]
    frame["light_share"] = frame["bytes"] / rate / frame["seconds"]
    return frame


def _row(benchmark: dict[str, Any]) -> dict[str, Any]:
    blocks = np.asarray(benchmark["stats"]["data"])
    axes: dict[str, Any] = {"bytes": np.nan} | benchmark["extra_info"]
    on_cuda = cuda_row.figures(axes.pop("cuda")) if "cuda" in axes else {}
    samples = np.asarray(on_cuda.pop("samples", blocks))
    q1, median, q3 = np.percentile(samples, [25, 50, 75])
    return (
        axes
        | on_cuda
        | {
            "seconds": median,
            "q1": q1,
            "q3": q3,
            "spread": (q3 - q1) / median,
            "loop_seconds": np.median(blocks),
            "blocks": len(samples),
            "megapixels_per_second": axes["megapixels"] / median,
        }
    )


def bandwidth(frame: pd.DataFrame) -> pd.DataFrame:
    """Bytes in a second of a copy (read and written) and of a write beyond any cache, by device and threads."""
    columns = ["device", "threads", COPY, WRITE]
    if frame.empty:
        return pd.DataFrame(columns=columns)
    large = frame[(frame["workload"] == BEYOND_CACHE) & frame["method"].isin([COPY, WRITE])]
    if large.empty:
        return pd.DataFrame(columns=columns)
    rates = large.assign(rate=large["bytes"] / large["seconds"])
    wide = rates.pivot_table(index=["device", "threads"], columns="method", values="rate").reset_index()
    return wide.reindex(columns=columns)


def without_yardsticks(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of methods on the workloads that were asked for."""
    if frame.empty:
        return frame
    return frame[~((frame["workload"] == BEYOND_CACHE) & frame["method"].isin([COPY, WRITE]))].reset_index(drop=True)


def _speed(path: Path, document: dict[str, Any]) -> pd.DataFrame:
    try:
        return speed_frame(document)
    except Exception as error:  # what is in a cell's record may be anything
        raise ReportError(f"{path} is not a file of upbench's; remove it.") from error


def _raw(document: dict[str, Any]) -> dict[str, list[float]]:
    """Every sample in seconds (of a GPU's cells the cold ones), by the cell's name."""
    found = {}
    for benchmark in document.get("benchmarks", []):
        extra = benchmark["extra_info"]
        samples = extra["cuda"]["cold"]["seconds"] if "cuda" in extra else benchmark["stats"]["data"]
        found[str(extra.get("cell", ""))] = [float(value) for value in samples]
    return found
