"""The CUDA runtime as the instruments use it, behind a protocol: the tests measure a device whose times they know.

Not yet run on a GPU: `TorchRuntime`. What is tested is the code that uses the protocol, on a device made of numbers.
"""

import time
from collections.abc import Callable
from typing import Any, Protocol

import torch

FLUSH_FACTOR = 2  # a flush writes this many times the L2 cache


class CaptureError(Exception):
    """The work cannot be recorded as a CUDA graph; the message is the reason."""


class Event(Protocol):
    """A moment on the stream, as `torch.cuda.Event(enable_timing=True)` has it."""

    def record(self) -> None:
        """Put the event behind all work launched so far."""

    def query(self) -> bool:
        """Whether the device has come past it."""

    def synchronize(self) -> None:
        """Wait until the device has come past it."""

    def elapsed_time(self, end: Any) -> float:
        """Milliseconds from this event to `end`, as the device saw them."""


class Runtime(Protocol):
    """One stream of one device, and the host's clock beside it."""

    @property
    def l2_bytes(self) -> int:
        """Size of the cache that all of the device shares."""

    def now(self) -> float:
        """The host's clock, seconds."""

    def event(self) -> Event:
        """A new timing event."""

    def spin(self, cycles: int) -> None:
        """Launch a kernel that does nothing for so many cycles of the device's clock."""

    def flush(self) -> None:
        """Launch a write of more than the L2 cache holds."""

    def capture(self, work: Callable[[], object]) -> Callable[[], None]:
        """Record what `work` launches as a graph and return its replay; raises `CaptureError` where it cannot."""

    def synchronize(self) -> None:
        """Wait until the device has nothing left to do."""

    def peak_bytes(self, call: Callable[[], object]) -> int:
        """The most memory that a call holds at any moment beyond what was held before it, bytes."""


def make_current(device: str | torch.device) -> torch.device:
    """Make a CUDA device the current one; `cuda` alone is the one that is it already. Returns it with its index."""
    index = torch.device(device).index
    if index is not None:
        torch.cuda.set_device(index)
    return torch.device("cuda", torch.cuda.current_device())


class TorchRuntime:
    """torch's current stream on one CUDA device. Not yet run on a GPU."""

    def __init__(self, device: str | torch.device) -> None:
        """Make `device` the current one, so that events and graphs are its own."""
        self.device = make_current(device)
        self.l2_bytes = int(torch.cuda.get_device_properties(self.device).L2_cache_size)
        self._flushed: torch.Tensor | None = None

    def now(self) -> float:
        """The host's clock, seconds."""
        return time.perf_counter()

    def event(self) -> Event:
        """A new timing event."""
        made: Event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        return made

    def spin(self, cycles: int) -> None:
        """Launch torch's own spin kernel, which watches the SM's clock."""
        torch.cuda._sleep(cycles)  # type: ignore[no-untyped-call]

    def flush(self) -> None:
        """Overwrite a buffer of twice the L2 cache."""
        if self._flushed is None:
            self._flushed = torch.empty(FLUSH_FACTOR * self.l2_bytes, dtype=torch.uint8, device=self.device)
        self._flushed.zero_()

    def capture(self, work: Callable[[], object]) -> Callable[[], None]:
        """Record `work` as a graph. Once before, it runs on a side stream, so that libraries set themselves up."""
        home = torch.cuda.current_stream()
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(home)
        with torch.cuda.stream(side):
            work()
        home.wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph):
                work()
        except RuntimeError as error:
            torch.cuda.set_stream(home)  # a failed capture may leave its own stream current
            raise CaptureError(str(error).partition("\n")[0]) from error
        return graph.replay

    def synchronize(self) -> None:
        """Wait until the device has nothing left to do."""
        torch.cuda.synchronize(self.device)

    def peak_bytes(self, call: Callable[[], object]) -> int:
        """Peak of the caching allocator during a call, less what was allocated before it."""
        return peak_bytes(call, self.device)


def peak_bytes(call: Callable[[], object], device: str | torch.device) -> int:
    """Peak of the caching allocator during a call, less what was allocated before it, bytes."""
    torch.cuda.synchronize(device)
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    call()
    torch.cuda.synchronize(device)
    return torch.cuda.max_memory_allocated(device) - before
