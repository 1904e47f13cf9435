"""`upbench gpu` asks for what it says, in its order, and ends in time; and a sweep is batches of the same images."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from upbench.bench.cells import WORKLOADS
from upbench.bench.quality import stage as quality
from upbench.bench.selfcheck import stage as selfcheck
from upbench.bench.speed import stage as speed
from upbench.bench.stage import Ending, Outcome
from upbench.reports import stage as report


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any, float | None]]:
    """What the stages were asked, in order, in place of measuring it."""
    calls: list[tuple[str, Any, float | None]] = []

    def measure(request: Any, out: Path, cells: Any, progress: Any, until: float | None = None) -> Outcome:
        calls.append((request.name, cells, until))
        return Outcome(stage=request.name, ending=Ending.OK)

    monkeypatch.setattr(speed, "measure", measure)
    for name, module, ending in (("selfcheck", selfcheck, 0), ("quality", quality, 3), ("report", report, 0)):

        def run(request: Any, *_: Any, name: str = name, ending: int = ending) -> Outcome:
            calls.append((name, request, None))
            return Outcome(stage=name, ending=Ending(ending))

        monkeypatch.setattr(module, "run", run)
    return calls


def test_the_stages_come_in_order_with_their_share_of_the_time(
    upbench: Callable, tmp_path: Path, asked: list[tuple[str, Any, float | None]]
) -> None:
    start = time.monotonic()
    done = upbench("gpu", "--device", "cpu", "--minutes", 10, "--out", tmp_path)
    assert [name for name, _, _ in asked] == ["selfcheck", "quality", "speed", "sweep", "report"]
    assert done.code == 3, "the worst of the stages' codes"
    ends = {name: until for name, _, until in asked if until}
    assert 0 < ends["speed"] - start < ends["sweep"] - start < 600
    assert asked[1][1].dataset == "photos", "no download is tried"


def test_every_axis_is_measured_and_every_method_first(
    upbench: Callable, tmp_path: Path, asked: list[tuple[str, Any, float | None]]
) -> None:
    upbench("gpu", "--device", "cpu", "--out", tmp_path)
    cells = next(cells for name, cells, _ in asked if name == "speed")
    assert len(cells) == len(set(cells))
    assert {cell.dtype for cell in cells} == {"float32", "float16", "bfloat16", "uint8"}
    assert {cell.memory_format for cell in cells} == {"contiguous", "channels_last"}
    assert {cell.mode for cell in cells} == {"eager", "compile"}
    assert {cell.step for cell in cells} == {"forward", "train"}
    assert {"big", "big-feature", "image", "cifar", "feature"} <= {cell.workload for cell in cells}
    plain = [cell.dtype == "float32" and cell.mode == "eager" for cell in cells]
    assert all(plain[: len({cell.method for cell in cells})])
    assert cells[-1].mode == "compile", "what takes longest comes last"
    methods = {cell.method for cell in cells}
    assert {"copy", "write", "bicubic"} <= methods
    assert "pillow-bicubic" not in methods
    trained = {cell.method for cell in cells if cell.step == "train"}
    assert {"nearest", "area", "bilinear-antialias", "bicubic", "polyphase-bicubic"} <= trained
    assert "dct" not in trained


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_gpu_it_says_so(upbench: Callable, tmp_path: Path) -> None:
    done = upbench("gpu", "--out", tmp_path)
    assert done.code == Ending.USAGE
    assert "no CUDA device" in done.err


def sweep(upbench: Callable, out: Path, asked: list[tuple[str, Any, float | None]], *words: object) -> set[str]:
    upbench("speed", "--out", out, "--methods", "nearest", *words)
    ((_, cells, _),) = asked
    return {cell.workload for cell in cells if cell.method == "nearest"}


def test_a_sweep_is_growing_batches_of_each_workloads_images(
    upbench: Callable, tmp_path: Path, asked: list[tuple[str, Any, float | None]]
) -> None:
    found = sweep(upbench, tmp_path, asked, "--workloads", "cifar", "image", "--sweep", 1, 8)
    assert found == {"1x3x16x16", "8x3x16x16", "1x3x256x256", "8x3x256x256"}
    assert asked[0][0] == "sweep"


def test_a_batch_that_no_machine_holds_is_left_out(
    upbench: Callable, tmp_path: Path, asked: list[tuple[str, Any, float | None]]
) -> None:
    assert sweep(upbench, tmp_path, asked, "--workloads", "image", "--sweep", 1, 100_000) == {"1x3x256x256"}


def test_the_big_workloads_fill_a_gpu() -> None:
    assert WORKLOADS["big"].shape == (64, 3, 512, 512)
    assert WORKLOADS["big-feature"].output_shape(2) == (32, 64, 256, 256)
