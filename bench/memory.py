"""The most memory that a call holds at a time, as torch's allocator sees it: on CUDA, or on a CPU."""

import warnings
from collections.abc import Callable

import torch
from torch.autograd.profiler import profile

from upbench.bench.cuda import runtime


def peak_bytes(call: Callable[[], object], device: str | torch.device) -> int:
    """Bytes that `call` holds at most, its result included, beyond what was there before.

    From the CUDA allocator's statistics, or on a CPU from the profiler's record of each allocation.
    """
    if torch.device(device).type == "cuda":
        return runtime.peak_bytes(call, device)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the profiler's remarks about its own cycles
        with profile(profile_memory=True) as profiled:
            call()
    assert profiled.kineto_results is not None
    held = most = 0
    for change in sorted(filter(_of_memory, profiled.kineto_results.events()), key=_start):
        held += change.nbytes()
        most = max(most, held)
    return most


def _of_memory(event: "torch._C._autograd._KinetoEvent") -> bool:
    return event.name() == "[memory]"


def _start(event: "torch._C._autograd._KinetoEvent") -> int:
    """Its place in time; torch before 2.4 tells it in microseconds."""
    start: int = getattr(event, "start_ns" if hasattr(event, "start_ns") else "start_us")()
    return start
