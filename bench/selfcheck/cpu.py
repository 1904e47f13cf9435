"""Are the clocks right? Things of known duration, and other people's timers, against the speed suite's instruments."""

import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from upbench.bench.selfcheck.checks import AGREEMENT_LIMIT, CLOCK_LIMIT, Check, compared
from upbench.bench.speed.clocks import clock_for
from upbench.bench.workers import pytest_process

CELLS = ("nearest/x2/single", "bilinear/x2/1x3x64x64", "bicubic/x2/1x3x64x64")  # short calls: blocks of equal length
QUARTILE = 25  # per cent of the blocks: what a busy machine adds to the slower ones is not the timer's

ROUNDS = 9
WAITS = (0.001, 0.02)  # seconds
SLEEP = 0.1
COPIED_BYTES = 8 << 20
COPY_TURNS = 40


def cpu_checks() -> list[Check]:
    """All checks of the CPU's clock."""
    return [*(_wait(seconds) for seconds in WAITS), _sleep(), _copy(), *agreement()]


def second_clock() -> Callable[[], float] | None:
    """The hardware's counter as nothing adjusts it, which the suite does not use; None where there is none."""
    raw = getattr(time, "CLOCK_MONOTONIC_RAW", None)
    return None if raw is None else lambda: time.clock_gettime(raw)


def _wait(seconds: float) -> Check:
    what = f"busy wait of {seconds * 1e3:g} ms, by the raw clock"
    clock = second_clock()
    if clock is None:
        return Check(what=what, limit=CLOCK_LIMIT, reason="this system has no second clock (CLOCK_MONOTONIC_RAW)")
    return compared(what, [_waited(clock, seconds) for _ in range(ROUNDS)], CLOCK_LIMIT)


def _waited(second: Callable[[], float], seconds: float) -> tuple[float, float]:
    """A busy wait as the second clock and the suite's clock have it."""
    suite = clock_for("cpu")
    start, second_start = suite(), second()
    now = second_start
    while now - second_start < seconds:
        now = second()
    return now - second_start, suite() - start


def _sleep() -> Check:
    """A sleep may last longer than asked and not shorter: the shortest of the rounds counts."""
    suite, found = clock_for("cpu"), []
    for _ in range(ROUNDS):
        start = suite()
        time.sleep(SLEEP)
        found.append(suite() - start)
    return compared(f"sleep of {SLEEP * 1e3:g} ms (shortest of {ROUNDS})", [(SLEEP, min(found))], CLOCK_LIMIT)


def _copy() -> Check:
    """Bandwidth of a copy by the suite's clock, and by the raw clock as the slope over two lengths.

    Each length counts with the shortest of many: what a busy machine adds is not the clock's.
    """
    what = f"copy of {COPIED_BYTES >> 20} MiB, slope over two lengths by the raw clock"
    second = second_clock()
    if second is None:
        return Check(what=what, limit=AGREEMENT_LIMIT, unit="GB/s", reason="this system has no second clock")
    source = torch.ones(COPIED_BYTES, dtype=torch.uint8)
    target = torch.empty_like(source)

    def seconds(clock: Callable[[], float], count: int) -> float:
        start = clock()
        for _ in range(count):
            target.copy_(source)
        return clock() - start

    def turn() -> tuple[float, float]:
        lengths = [(clock_for("cpu"), 1), (second, 1), (second, 2)]
        turns = [[seconds(clock, count) for clock, count in lengths] for _ in range(COPY_TURNS)]
        ours, short, long = (min(times) for times in zip(*turns, strict=True))
        return moved / (long - short), moved / ours

    moved = 2 * COPIED_BYTES / 1e9  # read and written
    return compared(what, [turn() for _ in range(ROUNDS)], AGREEMENT_LIMIT, "GB/s")


def agreement() -> list[Check]:
    """pytest-benchmark, as the speed suite uses it, against torch's timer: the lower quartile of each one's blocks."""
    try:
        rounds = _agreement_rounds(_run_agreement())
    except RuntimeError as error:
        rounds, reason = {}, str(error)
    return [
        compared(_what(name), rounds[name], AGREEMENT_LIMIT)
        if name in rounds
        else Check(what=_what(name), limit=AGREEMENT_LIMIT, reason=reason)
        for name in CELLS
    ]


def _what(name: str) -> str:
    return f"{name}, torch.utils.benchmark"


def _agreement_rounds(document: dict[str, Any]) -> dict[str, list[tuple[float, float]]]:
    rounds = defaultdict(list)
    for entry in document["benchmarks"]:
        extra = entry["extra_info"]
        ours = float(np.percentile(entry["stats"]["data"], QUARTILE))
        rounds[extra["cell"]].append((extra["torch_seconds"], ours))
    return rounds


def _run_agreement() -> dict[str, Any]:
    """Run `agreement` in a process such as `upbench speed` starts; raises `RuntimeError` when it fails."""
    with tempfile.TemporaryDirectory(prefix="upbench-") as name:
        result = Path(name) / "agreement.json"
        code = pytest_process.run("upbench.bench.selfcheck.agreement", result)
        if code:
            raise RuntimeError(f"the comparison could not run (pytest's exit code {code})")
        document: dict[str, Any] = json.loads(result.read_text())
        return document
