"""A CUDA device made of numbers: its kernels, launches, cache and clocks take the times that a test gives them."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from upbench.bench.cuda.runtime import CaptureError

MEGABYTE = 1 << 20


class Buffer:
    """Memory at an address; when nothing refers to it any more, the next one gets its address."""

    def __init__(self, device: "FakeDevice") -> None:
        self.device = device
        self.address = device.free.pop() if device.free else device.new_address()
        device.held += device.buffer_bytes
        device.peak = max(device.peak, device.held)

    def __del__(self) -> None:
        self.device.free.append(self.address)
        self.device.held -= self.device.buffer_bytes


class FakeEvent:
    def __init__(self, device: "FakeDevice") -> None:
        self.device = device

    def record(self) -> None:
        assert self.device.recording is None, "no event is timed inside a graph"
        self.moment = max(self.device.idle_from, self.device.host)

    def query(self) -> bool:
        return self.device.host >= self.moment

    def synchronize(self) -> None:
        self.device.host = max(self.device.host, self.moment)

    def elapsed_time(self, end: "FakeEvent") -> float:
        assert self.device.host >= end.moment, "read before the device was done"
        return 1e3 * self.device.event_scale * (end.moment - self.moment)


@dataclass(kw_only=True)
class FakeDevice:
    """Implements `cuda_runtime.Runtime`. All times in seconds."""

    launch_seconds: float = 6e-6
    hot_seconds: float = 3e-6
    cold_seconds: float = 5e-6
    flush_seconds: float = 30e-6
    replay_seconds: float = 10e-6
    wait_seconds: float = 2e-6
    buffer_bytes: int = MEGABYTE
    l2_bytes: int = 8 * MEGABYTE
    hertz: float = 1.5e9
    event_scale: float = 1.0  # of events that do not tell the truth
    capturable: bool = True
    waits: bool = False  # the method waits for the device in each call

    host: float = 0.0
    idle_from: float = 0.0  # when the device has nothing left to do
    addresses: int = 0
    held: int = 0
    peak: int = 0
    replays: int = 0
    launches: int = 0
    free: list[int] = field(default_factory=list)
    cache: "OrderedDict[int, int]" = field(default_factory=OrderedDict)
    recording: "list[Callable[[], float]] | None" = None

    def new_address(self) -> int:
        self.addresses += 1
        return self.addresses

    def now(self) -> float:
        return self.host

    def event(self) -> FakeEvent:
        return FakeEvent(self)

    def synchronize(self) -> None:
        assert self.recording is None, "nothing may wait while a graph is recorded"
        self.host = max(self.host, self.idle_from) + self.wait_seconds

    def spin(self, cycles: int) -> None:
        self.launch(lambda: cycles / self.hertz)

    def flush(self) -> None:
        def run() -> float:
            self.cache.clear()
            return self.flush_seconds

        self.launch(run)

    def launch(self, run: Callable[[], float]) -> None:
        """Launch a kernel; `run` is what it does on the device, and returns its seconds there."""
        if self.recording is not None:
            self.recording.append(run)
            return
        self.launches += 1
        self.host += self.launch_seconds
        self.idle_from = max(self.idle_from, self.host) + run()

    def capture(self, work: Callable[[], object]) -> Callable[[], None]:
        if not self.capturable:
            raise CaptureError("operation not permitted when stream is capturing")
        self.recording = []
        work()
        recorded, self.recording = self.recording, None

        def replay() -> None:
            self.replays += 1
            self.host += self.replay_seconds
            self.idle_from = max(self.idle_from, self.host) + sum(run() for run in recorded)

        return replay

    def peak_bytes(self, call: Callable[[], object]) -> int:
        before = self.peak = self.held
        call()
        return self.peak - before

    def method(self, value: Buffer) -> Buffer:
        """The measured method: one kernel that reads a buffer and writes a new one."""
        output = Buffer(self)
        touched = (value.address, output.address)
        more = self.cold_seconds - self.hot_seconds
        self.launch(lambda: self.hot_seconds + more * self._missed(touched))
        if self.waits:
            self.synchronize()
        return output

    def _missed(self, touched: tuple[int, ...]) -> float:
        """Share of the buffers that were not in the cache; now they are."""
        missed = sum(address not in self.cache for address in touched) / len(touched)
        for address in touched:
            self.cache.pop(address, None)
            self.cache[address] = self.buffer_bytes
        while sum(self.cache.values()) > self.l2_bytes:
            self.cache.popitem(last=False)
        return missed


@pytest.fixture
def fake() -> Iterator[type[FakeDevice]]:
    """The class; each test makes the device that it wants."""
    yield FakeDevice


@pytest.fixture
def buffer() -> Iterator[type[Buffer]]:
    """The class of a device's memory."""
    yield Buffer
