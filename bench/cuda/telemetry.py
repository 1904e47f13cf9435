"""What the GPU does while it is measured: SM clock, temperature, power, and why its clock is held down.

Through NVIDIA's management library (nvidia-ml-py, module `pynvml`), which is optional. A sample taken while the clock
is held down is marked, counted and kept. Not yet run on a GPU; tested with a stand-in for the library.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# NVML's bits (nvml.h, nvmlClocksEventReasons); idle, a clock set by the user, and a display's needs are no throttling
THROTTLING = {
    0x4: "power cap",
    0x8: "hardware slowdown",
    0x10: "sync boost",
    0x20: "thermal, by software",
    0x40: "thermal, by hardware",
    0x80: "power brake",
    0x200: "board limit",
    0x400: "reliability",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One look at the device; `throttled` holds the reasons why its clock is held down, usually none."""

    sm_mhz: int
    celsius: int
    watts: float
    throttled: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """`sample` looks at the device, or returns None, and then `reason` says why it cannot."""

    sample: Callable[[], Sample | None]
    reason: str = ""


def telemetry(uuid: str, load: Callable[[], Any] = lambda: importlib.import_module("pynvml")) -> Telemetry:
    """Telemetry of the device with this UUID, as torch has it (without NVML's prefix `GPU-`).

    By its UUID, since NVML does not count devices as CUDA_VISIBLE_DEVICES does.
    """
    try:
        nvml = load()
    except ImportError:
        return _absent("needs nvidia-ml-py: pip install upbench[gpu]")
    try:
        nvml.nvmlInit()
        handle = nvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid.removeprefix('GPU-')}")
        _look(nvml, handle)  # what the driver refuses, it refuses now
    except nvml.NVMLError as error:
        return _absent(f"NVML: {error}")
    return Telemetry(sample=lambda: _look(nvml, handle))


def throttle_reasons(bits: int) -> tuple[str, ...]:
    """The names of NVML's bits that mean a clock held down; an unknown bit is named by its number."""
    known = sum(THROTTLING) | 0x1 | 0x2 | 0x100
    unknown = [f"reason {bits & ~known:#x}"] if bits & ~known else []
    return (*(name for bit, name in THROTTLING.items() if bits & bit), *unknown)


def _absent(reason: str) -> Telemetry:
    return Telemetry(sample=lambda: None, reason=reason)


def _look(nvml: Any, handle: Any) -> Sample:
    return Sample(
        sm_mhz=nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM),
        celsius=nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU),
        watts=nvml.nvmlDeviceGetPowerUsage(handle) / 1e3,
        throttled=throttle_reasons(nvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle)),
    )
