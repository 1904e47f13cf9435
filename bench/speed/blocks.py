"""How pytest-benchmark is asked to time a cell: in blocks of calls, by the clock of the cell's device."""

from typing import Any

import pytest

from upbench.bench.cells import Cell
from upbench.bench.speed.clocks import clock_for

BLOCK_SECONDS = 0.002  # calls are timed in blocks of at least this long


def blocks(cell: Cell, seconds: float) -> Any:
    """The mark that sets pytest-benchmark's options for a cell, which gets about so many seconds."""
    return pytest.mark.benchmark(
        group=f"{cell.workload} x{cell.scale} {cell.device} {cell.dtype}",
        timer=clock_for(cell.device),
        min_time=BLOCK_SECONDS,
        max_time=seconds,
        min_rounds=3,
        calibration_precision=10,
        disable_gc=True,
        warmup=False,
    )
