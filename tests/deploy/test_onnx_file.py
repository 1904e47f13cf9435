"""A model file, in a process that has neither torch nor upbench."""

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from upbench.bench.adapters import discover
from upbench.bench.deploy import onnx_file, stage
from upbench.bench.deploy.request import DeployRequest
from upbench.bench.deploy.travelling import Travelling
from upbench.bench.deploy.verdicts import SAME
from upbench.bench.inputs import random_images
from upbench.bench.stage import Silent
from upbench.bench.upsampler import build

for name in ("onnx", "onnxscript", "onnxruntime"):
    pytest.importorskip(name)

METHODS = ("bicubic", "polyphase-bicubic", "matmul-lanczos3", "spline3", "dct", "learned-espcn")
SIZES = ((256, 256), (31, 90), (120, 17))
ALONE = """
import json
import sys
import numpy as np
import onnxruntime
for model, *folders in json.loads(sys.argv[1]):
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


def test_model_files_give_the_promised_pixels_at_three_sizes_without_torch(tmp_path: Path) -> None:
    with Travelling(DeployRequest(roads="onnx")) as worker:
        for method in METHODS:
            (tmp_path / method).mkdir()
            worker.write(method, 2, tmp_path / method / "model.onnx", dynamic=True)
    asked = [[str(tmp_path / method / "model.onnx"), *promised(method, tmp_path / method)] for method in METHODS]
    command = [sys.executable, "-I", "-c", ALONE, json.dumps(asked)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_the_code_command_writes_the_file_too(upbench: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    outcome = upbench("code", "matmul-bilinear", "--onnx", path, "--static")
    assert outcome.code == 0
    assert "256x256" in outcome.out
    assert outcome.err == ""
    assert path.stat().st_size > 1000


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


def test_a_stranger_that_kills_its_process_costs_the_file_and_nothing_else(
    upbench: Callable[..., Any], adapter_file: Callable[..., str], tmp_path: Path
) -> None:
    spec = adapter_file("fatal", "__import__('os')._exit(7)")
    outcome = upbench("deploy", "--onnx", tmp_path / "m.onnx", "--method", spec)
    assert outcome.code == 2
    assert "fatal cannot be exported: the worker crashed: exit status 7" in outcome.err
    assert not (tmp_path / "m.onnx").exists()


def test_openvino_runs_without_a_word_to_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if find_spec("openvino") is None:
        pytest.skip("openvino is not installed")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    request = DeployRequest(methods="bicubic", roads="openvino")
    (row,) = stage.run(request, tmp_path / "out", Silent()).rows
    assert row["verdict"] == SAME
    assert list((tmp_path / "home").iterdir()) == []
