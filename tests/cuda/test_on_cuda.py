"""What the speed suite writes of a CUDA cell is what the report reads."""

import json
from typing import Any

import pytest
import torch

from upbench.bench.cells import Cell
from upbench.bench.cuda.device_clock import DeviceClock
from upbench.bench.cuda.telemetry import Sample, Telemetry
from upbench.bench.speed.suite import on_cuda
from upbench.bench.speed.timed import Timed
from upbench.reports import cuda_row

HOT = Sample(sm_mhz=1500, celsius=83, watts=650.0, throttled=("power cap",))


@pytest.mark.parametrize("step, gradients", [("forward", ""), ("train", "repeat")])
def test_the_report_reads_what_the_suite_writes(
    fake: Any, monkeypatch: pytest.MonkeyPatch, step: str, gradients: str
) -> None:
    device = fake(launch_seconds=9e-6)
    monkeypatch.setattr(on_cuda, "_instruments", lambda name: (DeviceClock(device), Telemetry(sample=lambda: HOT)))

    def function(low: torch.Tensor) -> tuple[torch.Tensor]:
        device.launch(lambda: 5e-6)
        return (low,)

    timed = Timed(call=lambda: None, function=function, inputs=[torch.zeros(1, 3, 16, 16)])
    cell = Cell(method="bicubic", scale=2, workload="single", device="cuda", step=step)
    written = json.loads(json.dumps(on_cuda.on_cuda(cell, timed)))
    row = cuda_row.figures(written["cuda"])

    assert row["samples"] == pytest.approx([5e-6] * len(row["samples"]))
    assert row["enqueue_seconds"] == pytest.approx(9e-6)
    assert row["bound"] == cuda_row.LAUNCH
    assert row["throttled"].endswith("power cap")
    assert row["gradients"] == gradients
