"""pytest-benchmark and torch's own timer on the same calls, in turn; `upbench selfcheck` runs this and reads the JSON.

Not part of the speed suite: pytest finds it only when it is named.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.benchmark import Timer

from upbench.bench.adapters import select
from upbench.bench.cells import Cell
from upbench.bench.selfcheck.cpu import CELLS, QUARTILE
from upbench.bench.speed.blocks import BLOCK_SECONDS, blocks
from upbench.bench.speed.timed import prepare

ROUNDS = 15
SECONDS = 0.06  # for each of the two, in each round


def _parameters() -> list[Any]:
    turns = [(number, name) for number in range(ROUNDS) for name in CELLS]
    return [
        pytest.param(name, number, marks=blocks(Cell.parse(name), SECONDS), id=f"{name}-{number}")
        for number, name in turns
    ]


@pytest.mark.parametrize(("name", "number"), _parameters())
def test_agreement(name: str, number: int, benchmark: Any) -> None:
    """One round of one cell; who goes first alternates, so that a machine that slows down favours neither."""
    cell = Cell.parse(name)
    call = prepare(cell, {adapter.name: adapter for adapter in select([cell.method])}).call
    with torch.inference_mode():
        call()
        if number % 2:
            benchmark(call)
        theirs = _torch_blocks(call, cell.threads)
        if not number % 2:
            benchmark(call)
    benchmark.extra_info.update(cell=name, torch_seconds=float(np.percentile(theirs, QUARTILE)))


def _torch_blocks(call: Callable[[], Any], threads: int) -> list[float]:
    """Seconds of a call by `blocked_autorange`, asked again and again for blocks as short as the suite's."""
    timer, times = Timer("call()", globals={"call": call}, num_threads=threads), []
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        times += timer.blocked_autorange(min_run_time=BLOCK_SECONDS).times
    return times
