"""A clock's difference is seconds: on the CPU as the wall saw them, on CUDA as the device did."""

import time

import pytest
import torch

from upbench.bench.speed.clocks import clock_for, cuda_clock


def test_the_cpu_clock_measures_a_sleep() -> None:
    clock = clock_for("cpu")
    start = clock()
    time.sleep(0.05)
    assert 0.05 <= clock() - start < 5


class FakeEvent:
    """A stand-in that remembers what was asked of it, in order; the device is three milliseconds a step."""

    log: list[str] = []  # noqa: RUF012 - one log for all events, emptied by the fixture

    def __init__(self, enable_timing: bool = False) -> None:
        assert enable_timing, "an event without timing cannot be subtracted"

    def record(self) -> None:
        self.step = len([entry for entry in self.log if entry == "record"])
        self.log.append("record")

    def synchronize(self) -> None:
        self.log.append(f"wait for {self.step}")

    def elapsed_time(self, end: "FakeEvent") -> float:
        assert f"wait for {end.step}" in self.log, "read before the device was done"
        return 3.0 * (end.step - self.step)


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    FakeEvent.log.clear()
    monkeypatch.setattr(torch.cuda, "Event", FakeEvent)
    return FakeEvent.log


@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_the_cuda_clock_waits_for_the_second_event_and_yields_seconds(device: str, events: list[str]) -> None:
    clock = clock_for(device)
    start = clock()
    end = clock()
    assert events == ["record", "record"], "nothing may wait between the two"
    assert end - start == pytest.approx(0.003)
    assert events == ["record", "record", "wait for 1"]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_the_cuda_clock_sees_the_work_that_a_host_clock_misses() -> None:
    torch.cuda._sleep(1000)  # warm
    torch.cuda.synchronize()
    start, host_start = cuda_clock(), time.perf_counter()
    torch.cuda._sleep(200_000_000)
    host_seconds = time.perf_counter() - host_start
    seconds = cuda_clock() - start
    assert seconds > 0.02
    assert host_seconds < seconds
