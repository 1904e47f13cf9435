"""How pytest-benchmark is asked to time a cell: in blocks of calls, by the clock of the cell's device."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from upbench.bench.cells import Cell
from upbench.bench.speed.clocks import clock_for

BLOCK_SECONDS = 0.002  # calls are timed in blocks of at least this long
FEWEST_ROUNDS = 3
SLOW_SECONDS = 0.1  # a call this long is warm after the first


def blocks(cell: Cell, seconds: float) -> Any:
    """The mark that sets pytest-benchmark's options for a cell, which gets about so many seconds."""
    return pytest.mark.benchmark(
        group=f"{cell.workload} x{cell.scale} {cell.device} {cell.dtype}",
        timer=clock_for(cell.device),
        min_time=BLOCK_SECONDS,
        max_time=seconds,
        min_rounds=FEWEST_ROUNDS,
        calibration_precision=10,
        disable_gc=True,
        warmup=False,
    )


def in_blocks(benchmark: Any, call: Callable[[], Any], cell: Cell, seconds: float, once: float) -> None:
    """Time calls for about so many seconds; `once` is what the last call before took.

    A slow call is a block by itself and needs no calibration, which costs two more of them. What compiled code took
    before may have been its compilation.
    """
    if once < SLOW_SECONDS or cell.mode == "compile":
        benchmark(call)
    else:
        benchmark.pedantic(call, rounds=max(FEWEST_ROUNDS, math.ceil(seconds / once)))
