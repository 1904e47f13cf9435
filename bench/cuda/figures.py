"""The times of one CUDA cell, which answer different questions.

- enqueue: the host's seconds to launch one call. A program that launches many calls is held up by this if it is
  longer than the device's own time: the cell is launch-bound.
- device: seconds that the device works on one call (`device_clock`), hot (the same input and output each time: both are
  in the L2 cache if they fit) and cold (neither is). Cold is the headline: in a network, the data are not there.
- latency: one call on an idle device, from the host's first instruction until the result is there.

Cold is reached by rotation over inputs and outputs that together exceed L2, or, where that would need too many, by a
flush of L2 before each call, the time of flushes alone then being taken away.
Not yet run on a GPU.
"""

import itertools
import math
import statistics
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from upbench.bench.cuda.device_clock import DeviceClock, DeviceTimes, nothing
from upbench.bench.cuda.runtime import Runtime

GRAPH_SECONDS = 0.002  # work in a graph: long against the resolution of events (0.5 microseconds)
MOST_CALLS = 200
ROUNDS = 15
COLD_FACTOR = 3  # what is rotated over is this many times L2
MOST_BUFFERS = 64  # beyond this many, flush
HOST_CALLS = 8  # launched in one go for the enqueue time; few, so that the stream's queue does not fill
SLOW_SECONDS = 0.05  # a call this long needs few rounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A call as the device is to be measured on it: what runs, on what, and how much it moves.

    `another` makes an equal input at another address; `bytes_moved` is input plus output of one call.
    """

    function: Callable[[Any], object]
    value: Any
    another: Callable[[Any], Any]
    bytes_moved: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CudaFigures:
    """What was measured of one cell, raw. `cold_by` says how the cache was emptied."""

    enqueue_seconds: list[float]
    latency_seconds: list[float]
    hot: DeviceTimes
    cold: DeviceTimes
    cold_by: str
    peak_bytes: int


def measure(work: Work, clock: DeviceClock, watch: Callable[[], Any] = nothing) -> CudaFigures:
    """Measure all of a cell's times; `watch` is called once a round while the device works (telemetry)."""
    runtime = clock.runtime

    def call() -> object:
        return work.function(work.value)

    estimate = clock.once(call)
    calls = min(MOST_CALLS, max(1, math.ceil(GRAPH_SECONDS / max(estimate, 1e-9))))
    rounds = ROUNDS if estimate < SLOW_SECONDS else 5
    hot = clock.times(lambda count: _repeat(call, count), calls=calls, rounds=rounds, watch=watch)
    cold, cold_by = _cold(work, clock, calls, rounds, watch)
    return CudaFigures(
        enqueue_seconds=enqueue_seconds(runtime, call, rounds),
        latency_seconds=latency_seconds(runtime, call, rounds),
        hot=hot,
        cold=cold,
        cold_by=cold_by,
        peak_bytes=runtime.peak_bytes(call),
    )


def enqueue_seconds(runtime: Runtime, call: Callable[[], object], rounds: int) -> list[float]:
    """Host seconds to launch one call while the device need not be waited for, a value a round."""
    found = []
    for _ in range(rounds):
        runtime.synchronize()
        start = runtime.now()
        _repeat(call, HOST_CALLS)
        found.append((runtime.now() - start) / HOST_CALLS)
    runtime.synchronize()
    return found


def latency_seconds(runtime: Runtime, call: Callable[[], object], rounds: int) -> list[float]:
    """Host seconds from the call until its result is there, on an idle device."""
    found = []
    for _ in range(rounds):
        runtime.synchronize()
        start = runtime.now()
        call()
        runtime.synchronize()
        found.append(runtime.now() - start)
    return found


def _cold(work: Work, clock: DeviceClock, calls: int, rounds: int, watch: Callable[[], Any]) -> tuple[DeviceTimes, str]:
    buffers = max(2, math.ceil(COLD_FACTOR * clock.runtime.l2_bytes / work.bytes_moved) + 1)
    if buffers > MOST_BUFFERS:
        return _flushed(work, clock, calls, rounds, watch), "flush"
    following = itertools.cycle([work.value, *(work.another(work.value) for _ in range(buffers - 1))]).__next__
    kept: deque[object] = deque(maxlen=buffers - 1)  # outputs that live on make the next one take another address

    def rotate(count: int) -> None:
        for _ in range(count):
            kept.append(work.function(following()))

    whole_turns = buffers * math.ceil(calls / buffers)
    return clock.times(rotate, calls=whole_turns, rounds=rounds, watch=watch), f"rotation over {buffers} buffers"


def _flushed(work: Work, clock: DeviceClock, calls: int, rounds: int, watch: Callable[[], Any]) -> DeviceTimes:
    def flush_and_call(count: int) -> None:
        for _ in range(count):
            clock.runtime.flush()
            work.function(work.value)

    both = clock.times(flush_and_call, calls=calls, rounds=rounds, watch=watch)
    flushes = clock.times(lambda count: _repeat(clock.runtime.flush, count), calls=both.calls, rounds=rounds)
    alone = statistics.median(flushes.seconds)
    return replace(both, seconds=[seconds - alone for seconds in both.seconds])


def _repeat(call: Callable[[], object], count: int) -> None:
    for _ in range(count):
        call()
