"""Clocks for pytest-benchmark, which asks a timer twice and subtracts.

On the CPU that is `time.perf_counter`. On CUDA the work is asynchronous, so a host clock would measure the launch:
there the timer records an event on the stream, and the subtraction waits for the second event and returns the
seconds between the two as the device saw them.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True, slots=True)
class EventStamp:
    """A moment on a CUDA stream; the difference of two is seconds.

    `elapsed_time` is a float32 of milliseconds between the two events themselves, so that no precision is lost
    to a distant origin (CUDA runtime API, cudaEventElapsedTime: resolution about 0.5 microseconds).
    """

    event: Any

    def __sub__(self, start: "EventStamp") -> float:
        """Wait for this event and return the seconds since `start`."""
        self.event.synchronize()
        milliseconds: float = start.event.elapsed_time(self.event)
        return milliseconds / 1e3


def cuda_clock() -> EventStamp:
    """Record a timing event on the current CUDA stream."""
    event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
    event.record()
    return EventStamp(event)


def clock_for(device: str) -> Callable[[], Any]:
    """The clock that tells the truth on a device: CUDA events there, `perf_counter` on the CPU."""
    return cuda_clock if torch.device(device).type == "cuda" else time.perf_counter
