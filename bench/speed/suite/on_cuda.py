"""What a CUDA cell has besides its blocks: enqueue, device and latency times, memory, and the GPU's state meanwhile.

Not yet run on a GPU.
"""

import functools
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from upbench.bench.cells import Cell
from upbench.bench.cuda import figures
from upbench.bench.cuda.device_clock import DeviceClock
from upbench.bench.cuda.gradients import repeatability
from upbench.bench.cuda.runtime import TorchRuntime
from upbench.bench.cuda.telemetry import Telemetry, telemetry
from upbench.bench.speed.timed import Timed, bytes_moved


def on_cuda(cell: Cell, timed: Timed) -> dict[str, Any]:
    """The figures of `cuda.figures` under the name `cuda`; empty for a method that does not work on tensors."""
    value = timed.inputs[0]
    if not isinstance(value, Tensor):
        return {}
    clock, watched = _instruments(cell.device)
    work = figures.Work(function=timed.function, value=value, another=torch.clone, bytes_moved=bytes_moved(cell))
    found = asdict(figures.measure(work, clock, watched.sample)) | {"telemetry_reason": watched.reason}
    if cell.step == "train" and cell.mode == "eager":
        found["gradients"] = asdict(repeatability(lambda: timed.function(value)))
    return {"cuda": found}


@functools.lru_cache(maxsize=1)
def _instruments(device: str) -> tuple[DeviceClock, Telemetry]:
    runtime = TorchRuntime(device)
    return DeviceClock(runtime), telemetry(str(torch.cuda.get_device_properties(runtime.device).uuid))
