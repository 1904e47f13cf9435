"""The speed suite: one pytest-benchmark item for each cell.

`pytest --pyargs upbench.bench.speed.suite -k bilinear` runs it directly; `upbench speed` runs it with a request.
"""

import functools
import time
from contextlib import nullcontext
from dataclasses import asdict
from typing import Any

import pytest
import torch

from upbench.bench.adapters import Adapter, discover, select, sentence
from upbench.bench.cells import Cell, workload
from upbench.bench.cuda.runtime import make_current
from upbench.bench.errors import FailedError, SkippedError
from upbench.bench.speed.blocks import blocks
from upbench.bench.speed.clocks import clock_for
from upbench.bench.speed.suite import journal
from upbench.bench.speed.suite.on_cuda import on_cuda
from upbench.bench.speed.suite.request import cell_parameters, current
from upbench.bench.speed.timed import Timed, bytes_moved, prepare

SLOW_SECONDS = 0.1  # a call this long is warm after the first


def _parameter(cell: Cell) -> Any:
    return pytest.param(cell.name, marks=blocks(cell, current().seconds), id=cell.name)


@functools.lru_cache(maxsize=1)
def _adapters() -> dict[str, Adapter]:
    wanted = {cell.method for cell in cell_parameters()}
    from_files = {adapter.name: adapter for adapter in select([], current().specs)}
    named = [name for name in wanted if name not in from_files and name.partition("@")[0] in discover()]
    return {adapter.name: adapter for adapter in select(named)} | from_files


@pytest.mark.parametrize("name", [_parameter(cell) for cell in cell_parameters()])
def test_cell(name: str, benchmark: Any) -> None:
    """Measure one cell; a decline or a failure is recorded with its reason."""
    cell = Cell.parse(name)
    try:
        _in_time()
        _measure(cell, benchmark)
    except SkippedError as reason:
        journal.record(cell, status="skipped", reason=str(reason))
        pytest.skip(str(reason))
    except FailedError as reason:
        journal.record(cell, status="failed", reason=str(reason))
        pytest.fail(str(reason), pytrace=False)
    journal.record(cell, status="ok", benchmark=benchmark.stats.as_dict(include_data=True))


def _in_time() -> None:
    until = current().until
    if until is not None and time.time() > until:
        raise SkippedError("the time for this run had ended")


def _measure(cell: Cell, benchmark: Any) -> None:
    with torch.inference_mode() if cell.step == "forward" else nullcontext():
        try:
            if torch.device(cell.device).type == "cuda":
                make_current(cell.device)
            timed = prepare(cell, _adapters())
            warmup_seconds = [_once(timed, cell)]
            if warmup_seconds[0] < SLOW_SECONDS:
                warmup_seconds.append(_once(timed, cell))
            benchmark.extra_info.update(_extra(cell, timed, warmup_seconds))
            benchmark(timed.call)
            if torch.device(cell.device).type == "cuda":
                benchmark.extra_info.update(on_cuda(cell, timed))
        except (SkippedError, FailedError):
            raise
        except (NotImplementedError, ImportError) as error:
            raise SkippedError(sentence(error)) from error
        except Exception as error:
            raise FailedError(f"it raised {type(error).__name__}: {sentence(error)}") from error


def _once(timed: Timed, cell: Cell) -> float:
    clock = clock_for(cell.device)
    start = clock()
    timed.call()
    seconds: float = clock() - start
    return seconds


def _extra(cell: Cell, timed: Timed, warmup_seconds: list[float]) -> dict[str, Any]:
    return asdict(cell) | {
        "cell": cell.name,
        "shape": workload(cell.workload).shape,
        "megapixels": workload(cell.workload).megapixels(cell.scale),
        "bytes": bytes_moved(cell),
        "conversion_seconds": timed.conversion_seconds,
        "warmup_seconds": warmup_seconds,
    }
