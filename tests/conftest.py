"""What several rooms' tests share: the command, adapters of one's own, pictures, and CIFAR-10 in small."""

import gc
import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import settings
from PIL import Image

from upbench.bench.cli.main import main

settings.register_profile("upbench", deadline=None, max_examples=25, derandomize=True)
settings.load_profile("upbench")
torch.set_num_threads(1)
gc.freeze()  # what torch and the others have made so far stays: a collection need not look at it each time

SAMPLE = os.environ.get("UPBENCH_DATA")  # before the fixture below takes it away


@dataclass(frozen=True)
class Outcome:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def no_data_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test sees CIFAR-10 that happens to lie on the machine, in a cache or in a variable."""
    monkeypatch.delenv("UPBENCH_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "empty-cache"))


@pytest.fixture
def checkout() -> Path:
    return Path(__file__).resolve().parents[1]


@pytest.fixture
def upbench(capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """The command in this process: `upbench("list", "--json")`."""

    def run(*arguments: object) -> Outcome:
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capsys.readouterr()
        return Outcome(code, said.out, said.err)

    return run


@pytest.fixture
def environment() -> dict[str, str]:
    """Variables for a process of its own: one that does not take the checkout's folders for packages."""
    return os.environ | {"PYTHONSAFEPATH": "1", "OMP_NUM_THREADS": "1"}


@pytest.fixture
def process(tmp_path: Path, environment: dict[str, str]) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """The command in a process of its own: `process("list", PYTHONPATH=...)`."""

    def run(*arguments: object, **variables: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "upbench.bench.cli.main", *(str(argument) for argument in arguments)]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment | variables)

    return run


@pytest.fixture
def adapter_file(tmp_path: Path) -> Callable[..., str]:
    """Write an adapter and return its spec; `body` is the factory's, with `F`, `torch`, `scale` at hand."""

    def write(name: str, body: str, *, top: str = "") -> str:
        path = tmp_path / f"{name}_adapter.py"
        head = "import torch\nimport torch.nn.functional as F\n"
        factory = f"def {name}(scale, device, dtype):\n{textwrap.indent(textwrap.dedent(body).strip(), '    ')}\n"
        path.write_text(f"{head}{textwrap.dedent(top)}\n{factory}")
        return f"{path}:{name}"

    return write


@pytest.fixture
def picture_file(tmp_path: Path) -> Callable[..., Path]:
    """Write a smooth 8-bit picture of a size (width, height) and mode."""

    def write(
        name: str = "in.png", size: tuple[int, int] = (24, 16), mode: str = "RGB", folder: Path = tmp_path
    ) -> Path:
        width, height = size
        rows, columns = np.mgrid[0:height, 0:width]
        planes = [
            128 + 100 * np.sin(rows / 5),
            128 + 100 * np.cos(columns / 7),
            rows * 200 / height + columns * 50 / width,
        ]
        pixels = np.stack(planes, axis=-1).astype(np.uint8)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).convert(mode).save(folder / name)
        return folder / name

    return write


@pytest.fixture
def binary_cifar(tmp_path: Path) -> Callable[..., Path]:
    """Write a split in the official binary layout and return the folder above it."""

    def write(images: int = 3, name: str = "test_batch", label: int = 9, seed: int = 0) -> Path:
        folder = tmp_path / "cifar-10-batches-bin"
        folder.mkdir(exist_ok=True)
        records = np.random.default_rng(seed).integers(0, 256, (images, 3073), dtype=np.uint8)
        records[:, 0] = label
        (folder / f"{name}.bin").write_bytes(records.tobytes())
        return tmp_path

    return write


@pytest.fixture
def cifar_sample() -> Path:
    """The CIFAR-10 sample of 1,000 test images, where `UPBENCH_DATA` points to it."""
    from upbench.datasets import cifar10

    if not SAMPLE:
        pytest.skip("UPBENCH_DATA does not point to the CIFAR-10 sample")
    paths = cifar10.find(Path(SAMPLE), "test")
    if not paths or "1,000 images of data_batch_1" not in cifar10.describe(paths, "test", 1000):
        pytest.skip("UPBENCH_DATA points to other data than the CIFAR-10 sample of 1,000 images")
    return Path(SAMPLE)


@pytest.fixture
def fake(tmp_path: Path) -> Callable[..., Path]:
    """Makes a "python" that is a fake worker of the given behaviour, and returns its path."""

    def make(name: str = "fake", **behaviour: Any) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        script = folder / "python"
        shutil.copyfile(Path(__file__).parent / "workers" / "fake_worker.py", script)
        text = script.read_text().replace("#!/usr/bin/env python3", f"#!{sys.executable}", 1)
        script.write_text(text)
        script.chmod(0o755)
        (folder / "behaviour.json").write_text(json.dumps(behaviour))
        return script

    return make
