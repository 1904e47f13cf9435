"""A model file, in a process that has neither torch nor upbench."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from upbench.bench.adapters import discover
from upbench.bench.deploy import onnx_file
from upbench.bench.inputs import random_images
from upbench.bench.upsampler import build

for name in ("onnx", "onnxscript", "onnxruntime"):
    pytest.importorskip(name)

SIZES = ((256, 256), (31, 90), (120, 17))
ALONE = """
import sys
import numpy as np
import onnxruntime
model, *folders = sys.argv[1:]
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
for folder in folders:
    (high,) = session.run(None, {"low": np.load(folder + "/low.npy")})
    expected = np.load(folder + "/high.npy")
    assert high.shape == expected.shape and np.abs(high - expected).max() < 1e-5, folder
assert "torch" not in sys.modules and "upbench" not in sys.modules
"""


def promised(method: str, folder: Path) -> list[str]:
    """Folders with an image and what the method makes of it."""
    upsample = build(discover()[method], 2, torch.device("cpu"), torch.float32)
    folders = []
    for height, width in SIZES:
        here = folder / f"{height}x{width}"
        here.mkdir()
        low = random_images((1, 3, height, width))
        np.save(here / "low.npy", low.numpy())
        with torch.no_grad():
            np.save(here / "high.npy", upsample(low).numpy())
        folders.append(str(here))
    return folders


@pytest.mark.filterwarnings("ignore")  # exporters warn of their own plans
@pytest.mark.parametrize("method", ["polyphase-bicubic", "spline3", "learned-espcn"])
def test_gives_the_promised_pixels_at_three_sizes_without_torch(method: str, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    said = onnx_file.write(method, 2, path)
    assert str(path) in said
    command = [sys.executable, "-I", "-c", ALONE, str(path), *promised(method, tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.filterwarnings("ignore")
def test_the_code_command_writes_the_file_too(upbench: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    outcome = upbench("code", "matmul-bilinear", "--onnx", path, "--static")
    assert outcome.code == 0
    assert "256x256" in outcome.out
    assert path.stat().st_size > 1000


@pytest.mark.filterwarnings("ignore")
def test_a_method_without_a_translation_leaves_no_file(upbench: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    outcome = upbench("deploy", "--onnx", path, "--methods", "fourier")
    assert outcome.code == 2
    assert "fourier cannot be exported" in outcome.err
    assert not path.exists()


def test_one_method_is_asked_for(upbench: Callable[..., Any], tmp_path: Path) -> None:
    assert upbench("deploy", "--onnx", tmp_path / "m.onnx").code == 2


def test_an_absent_extra_is_told_with_its_install_line() -> None:
    with pytest.raises(onnx_file.SkippedError, match="upbench\\[deploy\\]"):
        onnx_file.package("no_such_exporter")
