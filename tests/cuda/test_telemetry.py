"""Telemetry through a stand-in for NVIDIA's library: looked up by UUID, throttling named, absence told."""

from types import SimpleNamespace
from typing import Any

import pytest

from upbench.bench.cuda.telemetry import Sample, telemetry, throttle_reasons


class NVMLError(Exception):
    """As the library's own."""


def library(*, bits: int = 0, fails: str = "") -> Any:
    def handle(uuid: str) -> str:
        assert uuid == "GPU-1234-ab"
        return "handle"

    def initialise() -> None:
        if fails == "init":
            raise NVMLError("Driver Not Loaded")

    def power(handle: str) -> int:
        if fails == "power":
            raise NVMLError("Not Supported")
        return 312_500

    return SimpleNamespace(
        NVMLError=NVMLError,
        NVML_CLOCK_SM=1,
        NVML_TEMPERATURE_GPU=0,
        nvmlInit=initialise,
        nvmlDeviceGetHandleByUUID=handle,
        nvmlDeviceGetClockInfo=lambda handle, kind: {1: 1755}[kind],
        nvmlDeviceGetTemperature=lambda handle, sensor: {0: 61}[sensor],
        nvmlDeviceGetPowerUsage=power,
        nvmlDeviceGetCurrentClocksThrottleReasons=lambda handle: bits,
    )


@pytest.mark.parametrize("uuid", ["1234-ab", "GPU-1234-ab"])
def test_a_look_at_the_device(uuid: str) -> None:
    found = telemetry(uuid, library)
    assert found.sample() == Sample(sm_mhz=1755, celsius=61, watts=312.5, throttled=())
    assert not found.reason


def test_a_clock_held_down_is_marked_with_its_reasons() -> None:
    sample = telemetry("1234-ab", lambda: library(bits=0x4 | 0x40 | 0x1)).sample()
    assert sample is not None
    assert sample.throttled == ("power cap", "thermal, by hardware")


@pytest.mark.parametrize("bits, names", [(0x0, ()), (0x1 | 0x2 | 0x100, ()), (0x1000 | 0x8, 2)])
def test_idle_is_no_throttling_and_an_unknown_reason_is_not_lost(bits: int, names: Any) -> None:
    found = throttle_reasons(bits)
    assert found == names or len(found) == names


def absent() -> Any:
    raise ImportError("No module named 'pynvml'")


@pytest.mark.parametrize(
    "load, says",
    [
        (absent, "nvidia-ml-py"),
        (lambda: library(fails="init"), "Driver Not Loaded"),
        (lambda: library(fails="power"), "Not Supported"),
    ],
)
def test_without_the_library_or_the_driver_there_is_a_reason_and_no_sample(load: Any, says: str) -> None:
    found = telemetry("1234-ab", load)
    assert found.sample() is None
    assert says in found.reason


def test_the_library_has_what_is_asked_of_it() -> None:
    pynvml = pytest.importorskip("pynvml", reason="nvidia-ml-py is not installed")
    for name in vars(library()):
        assert hasattr(pynvml, name), name
    assert pynvml.NVML_CLOCK_SM == 1 and pynvml.NVML_TEMPERATURE_GPU == 0
