"""Checks of the CUDA instruments. Not yet run on a GPU: what is tested is this code, on a device made of numbers.

The yardstick for the device's clock is the host's, over spins so long that what a launch costs does not matter; every
figure is a difference of two lengths, so that what remains of it cancels.
"""

import importlib.util
import statistics
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import torch

from upbench.bench.adapters import select
from upbench.bench.cells import Cell, workload
from upbench.bench.cuda import figures
from upbench.bench.cuda.device_clock import DeviceClock, spin_seconds
from upbench.bench.cuda.runtime import Runtime, TorchRuntime
from upbench.bench.inputs import random_images
from upbench.bench.selfcheck.checks import AGREEMENT_LIMIT, CLOCK_LIMIT, Check, compared
from upbench.bench.upsampler import build

SPINS = (50e-6, 200e-6, 1e-3, 10e-3)  # seconds
LONG_SPINS = (50_000_000, 250_000_000)  # cycles: some 0.03 and 0.14 s
SPINS_IN_GRAPH = 20
COPIED_BYTES = 256 << 20
COPIES = 32
ROUNDS = 9
AGREEMENT_ROUNDS = 5
REPETITIONS = 5
REPETITION_LIMIT = 0.01
CELLS = ("nearest/x2/64x3x512x512", "bilinear/x2/64x3x512x512", "bicubic/x2/32x64x128x128")  # these fill a device


def cuda_checks(device: str) -> list[Check]:
    """All checks of the CUDA instruments on a device."""
    runtime = TorchRuntime(device)
    clock = DeviceClock(runtime)
    with torch.inference_mode():
        timers = {name: _timers(clock, name, device) for name in CELLS}
        return [
            *spin_checks(clock),
            _device_copy(clock, device),
            *(check for name, (call, ours) in timers.items() for check in _cell_checks(name, call, ours)),
            *repetition_checks({name: partial(ours, "cold") for name, (_, ours) in timers.items()}),
        ]


def host_rate(runtime: Runtime) -> float:
    """Cycles of the spin kernel in a second of the host's clock."""
    short, long = LONG_SPINS
    _host_seconds(runtime, lambda: runtime.spin(long))  # the clock may have to rise first
    differences = [
        _host_seconds(runtime, lambda: runtime.spin(long)) - _host_seconds(runtime, lambda: runtime.spin(short))
        for _ in range(3)
    ]
    return (long - short) / statistics.median(differences)


def _host_seconds(runtime: Runtime, work: Callable[[], object]) -> float:
    runtime.synchronize()
    start = runtime.now()
    work()
    runtime.synchronize()
    return runtime.now() - start


def spin_checks(clock: DeviceClock) -> list[Check]:
    """Spins of known cycles, by events and by the instrument that times the cells."""
    rate = host_rate(clock.runtime)
    return [
        *(_spin_by_events(clock.runtime, seconds, rate) for seconds in SPINS),
        _spin_by_graph(clock, SPINS[0], rate),
    ]


def _spin_by_events(runtime: Runtime, seconds: float, rate: float) -> Check:
    cycles = round(seconds * rate)
    pairs = [(cycles / rate, spin_seconds(runtime, 2 * cycles) - spin_seconds(runtime, cycles)) for _ in range(ROUNDS)]
    return compared(f"spin of {seconds * 1e6:g} us by events, host clock", pairs, CLOCK_LIMIT)


def _spin_by_graph(clock: DeviceClock, seconds: float, rate: float) -> Check:
    cycles = round(seconds * rate)

    def times(length: int) -> list[float]:
        def batch(count: int) -> None:
            for _ in range(count):
                clock.runtime.spin(length)

        return clock.times(batch, calls=SPINS_IN_GRAPH, rounds=ROUNDS).seconds

    measured = [long - short for short, long in zip(times(cycles), times(2 * cycles), strict=True)]
    what = f"spin of {seconds * 1e6:g} us as a cell is timed, host clock"
    return compared(what, [(cycles / rate, value) for value in measured], CLOCK_LIMIT)


def copy_check(clock: DeviceClock, copy: Callable[[], object], size: int) -> Check:
    """Bandwidth (read and written) of a copy as a cell is timed, against the host clock's slope over two lengths."""

    def batch(count: int) -> None:
        for _ in range(count):
            copy()

    batch(COPIES)
    pairs = []
    for _ in range(ROUNDS):
        long, short = (_host_seconds(clock.runtime, partial(batch, n)) for n in (2 * COPIES, COPIES))
        ours = clock.times(batch, calls=8, rounds=1).seconds[0]
        pairs.append((2 * size / 1e9 * COPIES / (long - short), 2 * size / 1e9 / ours))
    return compared(f"copy of {size >> 20} MiB, host clock's slope", pairs, AGREEMENT_LIMIT, "GB/s")


def _device_copy(clock: DeviceClock, device: str) -> Check:
    source = torch.ones(COPIED_BYTES, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return copy_check(clock, lambda: target.copy_(source), COPIED_BYTES)


def agreement(what: str, theirs: Callable[[], float], ours: Callable[[], float]) -> Check:
    """Another timer and ours in turn; each returns the seconds of a call."""
    pairs = [(theirs(), ours()) for _ in range(AGREEMENT_ROUNDS)]
    return compared(what, pairs, AGREEMENT_LIMIT)


def repetition_checks(timers: dict[str, Callable[[], float]]) -> list[Check]:
    """A/A: each cell measured anew several times, in turn with the others; slowest over fastest."""
    found = [[measure() for measure in timers.values()] for _ in range(REPETITIONS)]
    return [
        compared(f"{name}, {REPETITIONS} times anew: slowest, fastest", [(min(times), max(times))], REPETITION_LIMIT)
        for name, times in zip(timers, zip(*found, strict=True), strict=True)
    ]


def _timers(
    clock: DeviceClock, name: str, device: str
) -> tuple[Callable[[], Any], Callable[[Literal["cold", "hot"]], float]]:
    """A cell's call, and our own measurement of its device seconds."""
    cell = Cell.parse(name)
    (adapter,) = select([cell.method])
    function = build(adapter, cell.scale, torch.device(device), torch.float32).upsample
    low = random_images(workload(cell.workload).shape, device=device)
    high_bytes = low.nbytes * cell.scale**2
    work = figures.Work(function=function, value=low, another=torch.clone, bytes_moved=low.nbytes + high_bytes)

    def ours(which: Literal["cold", "hot"]) -> float:
        found = figures.measure(work, clock)
        return statistics.median((found.cold if which == "cold" else found.hot).seconds)

    return partial(function, low), ours


def _cell_checks(name: str, call: Callable[[], Any], ours: Callable[[Literal["cold", "hot"]], float]) -> list[Check]:
    return [
        _against_triton(f"{name}, triton do_bench (cold)", call, partial(ours, "cold")),
        agreement(f"{name}, torch.utils.benchmark (hot)", partial(_torch_seconds, call), partial(ours, "hot")),
    ]


def _against_triton(what: str, call: Callable[[], Any], ours: Callable[[], float]) -> Check:
    if importlib.util.find_spec("triton") is None:
        return Check(what=what, limit=AGREEMENT_LIMIT, reason="needs Triton: pip install triton")
    from triton.testing import do_bench

    return agreement(what, lambda: do_bench(call, return_mode="median") / 1e3, ours)


def _torch_seconds(call: Callable[[], Any]) -> float:
    from torch.utils.benchmark import Timer

    seconds: float = Timer("call()", globals={"call": call}).blocked_autorange(min_run_time=0.2).median
    return seconds
