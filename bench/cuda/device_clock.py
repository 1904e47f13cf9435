"""How long the device works on a call: CUDA events round a full queue, so that launches cost nothing.

A start event that is recorded on an idle stream also measures how late the first kernel is launched. So a spin
kernel runs first, long enough for the host to launch everything behind it; whether it was long enough is
looked at afterwards (the start event must not have happened yet). The work itself is a replayed CUDA graph of many
calls, where the method can be captured, because between kernels of a graph there is no launch to wait for.
"""

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from upbench.bench.cuda.runtime import CaptureError, Runtime

GRAPH = "graph"  # a replayed graph
QUEUE = "queue"  # single launches behind a spin kernel
GAPS = "gaps"  # the queue ran empty: the call waits for the device, or launches slower than the spin lasts
QUEUED_CALLS = 16  # without a graph; a stream takes about a thousand launches before the host has to wait
CALIBRATION_CYCLES = (1_000_000, 4_000_000)
ATTEMPTS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTimes:
    """Device seconds of one call, a value for each round, in order.

    `how` is graph, queue or gaps, `reason` says why there is no graph, `watched` is what was seen in each round.
    """

    seconds: list[float]
    how: str
    calls: int
    reason: str = ""
    watched: list[Any] = field(default_factory=list)


def nothing() -> None:
    """Watch nothing."""


class DeviceClock:
    """Times batches of calls on one device."""

    def __init__(self, runtime: Runtime) -> None:
        """Calibrate the spin kernel."""
        self.runtime = runtime
        self.cycles_per_second = spin_rate(runtime)

    def times(
        self, batch: Callable[[int], object], *, calls: int, rounds: int, watch: Callable[[], Any] = nothing
    ) -> DeviceTimes:
        """Seconds that the device takes for one of the `calls` that `batch(calls)` launches.

        `watch` is called once a round while the device works, when the host has nothing else to do.
        """
        how, reason = GRAPH, ""
        try:
            submit = self.runtime.capture(lambda: batch(calls))
        except CaptureError as error:
            how, reason, calls = QUEUE, str(error), min(calls, QUEUED_CALLS)

            def submit() -> None:
                batch(calls)

        cycles = self._cycles_ahead(submit)
        seconds, watched = [], []
        for _ in range(rounds):
            for _ in range(ATTEMPTS):
                took, full, seen = self._round(submit, cycles, watch)
                if full:
                    break
                cycles *= 2
            else:
                how = GAPS
            seconds.append(took / calls)
            watched.append(seen)
        return DeviceTimes(seconds=seconds, how=how, calls=calls, reason=reason, watched=watched)

    def once(self, call: Callable[[], object]) -> float:
        """A first estimate: device seconds of a single call, not captured."""
        call()
        return self._round(call, self._cycles_ahead(call), nothing)[0]

    def _cycles_ahead(self, submit: Callable[[], object]) -> int:
        """A spin of twice the time that the host needs to launch the work, and 50 microseconds."""
        self.runtime.synchronize()
        start = self.runtime.now()
        submit()
        host_seconds = self.runtime.now() - start
        self.runtime.synchronize()
        return int((2 * host_seconds + 50e-6) * self.cycles_per_second)

    def _round(self, submit: Callable[[], object], cycles: int, watch: Callable[[], Any]) -> tuple[float, bool, Any]:
        """Seconds on the device, whether the queue was full all the time, and what was seen meanwhile."""
        start, end = self.runtime.event(), self.runtime.event()
        self.runtime.synchronize()
        self.runtime.spin(cycles)
        start.record()
        submit()
        full = not start.query()
        end.record()
        seen = watch()
        end.synchronize()
        return start.elapsed_time(end) / 1e3, full, seen


def spin_rate(runtime: Runtime) -> float:
    """Cycles of the spin kernel in a second, from two lengths, so that what a launch costs cancels."""
    short, long = CALIBRATION_CYCLES
    for cycles in (short, long):
        spin_seconds(runtime, cycles)  # the clock may have to rise first
    differences = [spin_seconds(runtime, long) - spin_seconds(runtime, short) for _ in range(3)]
    return (long - short) / statistics.median(differences)


def spin_seconds(runtime: Runtime, cycles: int) -> float:
    """Seconds between events round one spin."""
    start, end = runtime.event(), runtime.event()
    runtime.synchronize()
    start.record()
    runtime.spin(cycles)
    end.record()
    end.synchronize()
    return start.elapsed_time(end) / 1e3
