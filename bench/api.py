"""upbench from Python: the commands' names as functions, their options as keyword arguments, DataFrames as results.

    from upbench.bench import api

    api.quality(methods=["bilinear", "bicubic"], dataset=images, scales=[2])

`methods` may hold callables of your own beside names: a factory `(scale, device, dtype)`, or the upsampler itself,
`(N, C, H, W)` to `(N, C, scale*H, scale*W)`. `dataset` may be a tensor or an array of images: `(N, 3, H, W)`,
`(N, H, W, 3)` or `(N, H, W)`, uint8 or floats in [0, 1]. With `out` the files are kept there, and an interrupted call
goes on from them; without, they are thrown away. `progress=False` is silent. What cannot be done raises `UsageError` or
`DataError` with one sentence; what a method cannot do is a row with its reason.
"""

import contextlib
import dataclasses
import inspect
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import torch

from upbench.bench import adapters
from upbench.bench.deploy.request import DeployRequest
from upbench.bench.diagnosis.request import DiagnosisRequest
from upbench.bench.errors import FailedError, SkippedError, UsageError
from upbench.bench.gate.ci.requests import VerdictRequest, WatchRequest
from upbench.bench.gate.request import DuetRequest
from upbench.bench.given import as_batch, as_given, pickled, plain
from upbench.bench.jobs.request import BenchRequest
from upbench.bench.layers.request import LayersRequest
from upbench.bench.listing import describe
from upbench.bench.quality.request import QualityRequest
from upbench.bench.requests import Request
from upbench.bench.speed.request import SpeedRequest
from upbench.bench.stage import Progress, Shown, Silent
from upbench.bench.workers.walls import Walls
from upbench.datasets.errors import DataError
from upbench.reports import frame
from upbench.reports.request import AdviseRequest, ReportRequest

__all__ = [
    "DataError",
    "UsageError",
    "advise",
    "bench",
    "deploy",
    "diagnose",
    "duet",
    "layers",
    "methods",
    "quality",
    "report",
    "speed",
    "upsample",
    "verdict",
    "watch",
]

Result = TypeVar("Result")
Picture = TypeVar("Picture", torch.Tensor, "np.ndarray[Any, Any]")


def _asks(kind: type[Request]) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Show a function with the fields of its request as keyword arguments, and their defaults."""
    options = [
        inspect.Parameter(each.name, inspect.Parameter.KEYWORD_ONLY, default=each.default, annotation=each.annotation)
        for each in inspect.signature(kind).parameters.values()
    ]

    def decorate(function: Callable[..., Result]) -> Callable[..., Result]:
        own = [each for each in inspect.signature(function).parameters.values() if each.kind is not each.VAR_KEYWORD]
        names = {each.name for each in own}
        shown = [*own, *(each for each in options if each.name not in names)]
        function.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
        return function

    return decorate


def methods() -> pd.DataFrame:
    """Every installed method: `name`, `family`, `summary`, `available`, and where it is not, the `reason`.

    Told from metadata and source: nothing of a method's is imported.
    """
    rows = [describe(adapter) for adapter in adapters.select(None)]
    return pd.DataFrame(rows, columns=["name", "family", "summary", "available", "reason"])


@_asks(QualityRequest)
def quality(*, out: Path | str | None = None, progress: bool = True, **options: Any) -> pd.DataFrame:
    """PSNR (dB) and SSIM of methods over high/low-resolution pairs: the columns of `quality.csv`, a row each.

    Options are those of `upbench quality`. Raises `UsageError` or `DataError`.
    """
    from upbench.bench.quality import stage

    with _asked(QualityRequest, out, options) as (request, folder):
        stage.run(request, folder, _progress(progress))
        return frame.read(folder).quality


@_asks(DiagnosisRequest)
def diagnose(*, out: Path | str | None = None, progress: bool = True, **options: Any) -> pd.DataFrame:
    """Shift, gain, overshoot, checkerboard (lengths in high-resolution pixels): the columns of `diagnostics.csv`.

    Options are those of `upbench diagnose`. Raises `UsageError`.
    """
    from upbench.bench.diagnosis import stage

    with _asked(DiagnosisRequest, out, options) as (request, folder):
        stage.run(request, folder, _progress(progress))
        return pd.read_csv(folder / "diagnostics.csv")


@_asks(DeployRequest)
def deploy(*, out: Path | str | None = None, progress: bool = True, **options: Any) -> pd.DataFrame:
    """Methods down the roads of compile, export, ONNX Runtime and so on: the columns of `deploy.csv`.

    Options are those of `upbench deploy`. Raises `UsageError`.
    """
    from upbench.bench.deploy import stage

    with _asked(DeployRequest, out, options) as (request, folder):
        stage.run(request, folder, _progress(progress))
        return pd.read_csv(folder / "deploy.csv")


@_asks(SpeedRequest)
def speed(*, out: Path | str | None = None, progress: bool = True, **options: Any) -> pd.DataFrame:
    """Times of methods on workloads: a row a cell with `status` and `reason`, median `seconds` and their `spread`.

    Options are those of `upbench speed`. Raises `UsageError`.
    """
    from upbench.bench.speed import stage

    with _asked(SpeedRequest, out, options) as (request, folder):
        rows = stage.run(request, folder, _progress(progress)).rows
        found = frame.read(folder)
        cells = pd.DataFrame([{name: row[name] for name in ("cell", "status", "reason")} for row in rows])
        timed = found.sweep if request.sweep is not None else found.speed
        return cells if timed.empty else cells.merge(timed, on="cell", how="left")


@_asks(LayersRequest)
def layers(*, out: Path | str | None = None, progress: bool = True, **options: Any) -> pd.DataFrame:
    """The same small networks trained with each upsampling layer: the columns of `layers.csv`, a row a training.

    Options are those of `upbench layers`. Raises `UsageError` or `DataError`.
    """
    from upbench.bench.layers import stage

    with _asked(LayersRequest, out, options) as (request, folder):
        stage.run(request, folder, _progress(progress))
        return pd.read_csv(folder / "layers.csv")


@_asks(DuetRequest)
def duet(*, out: Path | str | None = None, progress: bool = True, **options: Any) -> pd.DataFrame:
    """Two versions, or any two sides, cell by cell: `verdict`, `ratio` (candidate / baseline) with its 95 % interval.

    A row a cell and candidate, with `reason`, `pairs` of processes, and how the `pixels` compare. Options are those of
    `upbench duet`. Raises `UsageError`.
    """
    from upbench.bench.gate import stage

    with _asked(DuetRequest, out, options) as (request, folder):
        stage.run(request, folder, _progress(progress))
        return _compared(folder)


def verdict(*folders: Path | str, out: Path | str | None = None, progress: bool = True) -> pd.DataFrame:
    """The same cells compared on several machines, joined: the columns of `duet`, the `spread` and each of the `hosts`.

    `folders` are what `upbench duet` wrote, one a machine. Raises `UsageError`.
    """
    from upbench.bench.gate.ci import joined_stage

    with _asked(VerdictRequest, out, {"folders": folders}) as (request, folder):
        joined_stage.run(request, folder, _progress(progress))
        return _compared(folder)


def watch(*folders: Path | str, out: Path | str | None = None, progress: bool = True, **options: Any) -> pd.DataFrame:
    """Nights appended to a history, and every change in the series: `branch` (the cell), `before`, `after`, `ratio`.

    A row a change, with its 95 % interval and the night that settled it (`told`). Options are those of `upbench watch`:
    `history`, `confirm`, `by`, `bisect`; with `anchor` and `candidate`, and those of `duet`, a night is measured
    first. Raises `UsageError`.
    """
    from upbench.bench.gate.ci import watch_stage
    from upbench.bench.gate.ci.changes import Change

    with _asked(WatchRequest, out, options | {"folders": folders}, WatchRequest.of) as (request, folder):
        rows = watch_stage.run(request, folder, _progress(progress)).rows
        return pd.DataFrame(rows, columns=[each.name for each in dataclasses.fields(Change)])


def _compared(folder: Path) -> pd.DataFrame:
    """The cells of `versions.json`, without raw blocks."""
    from upbench.bench.store import read_json

    rows = []
    for comparison in read_json(folder / "versions.json")["comparisons"]:
        ends = {side: comparison[side]["label"] for side in ("baseline", "candidate")}
        rows += [ends | cell | {"pixels": (cell["pixels"] or {}).get("status")} for cell in comparison["cells"]]
    return pd.DataFrame(rows).drop(columns=["visits", "memory", "processes"], errors="ignore")


def bench(*, out: Path | str, progress: bool = True, **options: Any) -> Path:
    """The main job into the folder `out`; where its report lies. Options are those of `upbench bench`.

    Raises `UsageError` or `DataError`.
    """
    from upbench.bench.jobs import main

    folder = Path(out)
    main.run(BenchRequest.of(**plain(options, folder)), folder, _progress(progress))
    return folder / "report.md"


@_asks(ReportRequest)
def report(folder: Path | str, *, progress: bool = True, **options: Any) -> Path:
    """Make the report of a finished run anew from its files; where it lies. Raises `UsageError`."""
    from upbench.reports import stage

    request = ReportRequest(folder=Path(folder), **options)
    stage.run(request, _progress(progress))
    return request.folder / "report.md"


@_asks(AdviseRequest)
def advise(folder: Path | str, **options: Any) -> pd.DataFrame:
    """What nothing beats in both quality and speed, fastest first: `method`, `psnr_db`, `ssim`, `ms`.

    Options are those of `upbench advise`. Raises `UsageError`.
    """
    from upbench.reports import stage

    return stage.advise(AdviseRequest(folder=Path(folder), **options)).front


def upsample(
    picture: Picture, method: str | Callable[..., Any] = "bicubic", *, scale: int = 2, device: str = "cpu"
) -> Picture:
    """Upsample images with one method, in float32.

    A tensor is `(3, H, W)` or `(N, 3, H, W)`, an array `(H, W)`, `(H, W, 3)` or `(N, H, W, 3)`; uint8, or floats in
    [0, 1]. What comes back is of the same kind, `scale` times as large; floats may leave [0, 1]. Raises `UsageError`
    for another shape, and where the method cannot do it.
    """
    low = as_batch(picture)
    with tempfile.TemporaryDirectory(prefix="upbench-") as folder, Walls(device) as walls:
        spec = method if isinstance(method, str) else pickled(method, Path(folder))
        try:
            high = walls.upsampler(spec, scale, torch.float32, check=False).attempt(low)
        except (SkippedError, FailedError) as error:
            raise UsageError(f"{getattr(method, '__name__', method)} cannot do this: {error}.") from error
    given: Picture = as_given(high, picture)
    return given


def _progress(shown: bool) -> Progress:
    return Shown() if shown else Silent()


Asked = TypeVar("Asked", bound=Request)


@contextlib.contextmanager
def _asked(
    kind: type[Asked], out: Path | str | None, options: dict[str, Any], make: Callable[..., Asked] | None = None
) -> Iterator[tuple[Asked, Path]]:
    """The request, and the folder for its files: `out`, or one that is thrown away."""
    with contextlib.ExitStack() as stack:
        folder = Path(out or stack.enter_context(tempfile.TemporaryDirectory(prefix="upbench-")))
        try:
            request = (make or kind)(**plain(options, folder))
        except TypeError as error:  # an option that there is not
            raise UsageError(f"{kind.__name__}: {error}.") from error
        yield request, folder
