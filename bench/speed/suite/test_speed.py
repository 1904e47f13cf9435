"""The speed suite: one pytest-benchmark item for each cell.

`pytest --pyargs upbench.bench.speed.suite -k bilinear` runs it directly; `upbench speed` runs it with a request.
"""

import os
import time
from contextlib import nullcontext
from dataclasses import asdict
from typing import Any

import pytest
import torch

from upbench.bench import pressure
from upbench.bench.adapters import sentence
from upbench.bench.cells import Cell, workload
from upbench.bench.cuda.runtime import make_current
from upbench.bench.errors import FailedError, SkippedError
from upbench.bench.speed.blocks import SLOW_SECONDS, blocks, in_blocks
from upbench.bench.speed.clocks import clock_for
from upbench.bench.speed.suite import apart, journal
from upbench.bench.speed.suite.on_cuda import on_cuda
from upbench.bench.speed.suite.request import cell_parameters, current
from upbench.bench.speed.timed import Timed, bytes_moved, prepare


def _parameter(cell: Cell) -> Any:
    return pytest.param(cell.name, marks=blocks(cell, current().seconds), id=cell.name)


@pytest.mark.parametrize("name", [_parameter(cell) for cell in cell_parameters()])
def test_cell(name: str, benchmark: Any) -> None:
    """Measure one cell; a decline or a failure is recorded with its reason."""
    cell, own = Cell.parse(name), os.getpid()
    try:
        _in_time()
        _measure(cell, benchmark)
        apart.only_in(own)
    except SkippedError as reason:
        journal.record(cell, status="skipped", reason=str(reason))
        pytest.skip(str(reason))
    except FailedError as reason:
        journal.record(cell, status="failed", reason=str(reason))
        pytest.fail(str(reason), pytrace=False)
    journal.record(cell, status="ok", benchmark=benchmark.stats.as_dict(include_data=True))


def _in_time() -> None:
    until = current().until
    if until is not None and time.monotonic() > until:
        raise SkippedError("the time for this run had ended")


def _measure(cell: Cell, benchmark: Any) -> None:
    with torch.inference_mode() if cell.step == "forward" else nullcontext():
        try:
            if torch.device(cell.device).type == "cuda":
                make_current(cell.device)
            timed = prepare(cell, apart.adapters())
            warmup_seconds, output = _warm(timed, cell)
            benchmark.extra_info.update(_extra(cell, timed, warmup_seconds))
            before = pressure.moment()
            in_blocks(benchmark, timed.call, cell, current().seconds, warmup_seconds[-1])
            benchmark.extra_info["pressure"] = _pressure(cell, before)
            if timed.probe:
                timed.probe.check(output, warmup_seconds[-1])
            if torch.device(cell.device).type == "cuda":
                benchmark.extra_info.update(on_cuda(cell, timed))
        except (SkippedError, FailedError):
            raise
        except (NotImplementedError, ImportError) as error:
            raise SkippedError(sentence(error)) from error
        except KeyboardInterrupt as error:
            if not apart.forked:  # it is the user's
                raise
            raise FailedError("it raised KeyboardInterrupt") from error
        except (Exception, SystemExit) as error:
            raise FailedError(f"it raised {type(error).__name__}: {sentence(error)}") from error


def _pressure(cell: Cell, before: pressure.Moment) -> dict[str, Any]:
    """What disturbed the cell; whoever waits for a GPU is not busy, so on CUDA that tells nothing."""
    found = pressure.since(before)
    return found | {"busy": None} if cell.device != "cpu" else found


def _warm(timed: Timed, cell: Cell) -> tuple[list[float], Any]:
    """Seconds of the first calls, a second one only where it is quick; and what the first returned."""
    clock = clock_for(cell.device)
    start = clock()
    output = timed.probe.begin() if timed.probe else timed.call()
    seconds: list[float] = [clock() - start]
    if seconds[0] < SLOW_SECONDS:
        start = clock()
        timed.call()
        seconds.append(clock() - start)
    return seconds, output


def _extra(cell: Cell, timed: Timed, warmup_seconds: list[float]) -> dict[str, Any]:
    return asdict(cell) | {
        "cell": cell.name,
        "shape": workload(cell.workload).shape,
        "megapixels": workload(cell.workload).megapixels(cell.scale),
        "bytes": bytes_moved(cell),
        "conversion_seconds": timed.conversion_seconds,
        "warmup_seconds": warmup_seconds,
    }
