"""`upbench code`: what it prints runs where upbench is not, and makes the same pixels."""

import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import torch

from upbench.bench.adapters import find
from upbench.bench.errors import SkippedError
from upbench.bench.jobs.code import module, write
from upbench.bench.jobs.code_request import CodeRequest
from upbench.bench.upsampler import build
from upbench.reports.families import of
from upbench.reports.take_home import INTERPOLATE

OURS = [
    name
    for name in sorted(entry.name for entry in entry_points(group="upbench.methods"))
    if of(name) in ("torch", "upbench", "spectral", "convolution") and not name.startswith(("triton", "wiener"))
]

OTHERS = [
    name
    for name in sorted(entry.name for entry in entry_points(group="upbench.methods"))
    if of(name) in ("libraries", "learned") or name == "wiener"
]

# Runs every module in a folder on a picture beside it, without upbench, and leaves what each made.
RUN = """
import pathlib, runpy, sys
import torch
torch.set_num_threads(1)  # as here: by several threads a sum may end in another last bit
low = torch.load("low.pt")
for path in sorted(pathlib.Path(".").glob("*_x*.py")):
    printed = runpy.run_path(str(path))
    printed["check"]()
    torch.save(printed["upsample"](low), path.with_suffix(".pt"))
assert not [name for name in sys.modules if name.startswith("upbench")], "upbench was imported"
"""


@pytest.mark.parametrize("scale", [2, 3])
def test_printed_modules_make_the_same_pixels_without_upbench(tmp_path: Path, scale: int) -> None:
    low = torch.rand(2, 3, 19, 23, generator=torch.Generator().manual_seed(0))
    torch.save(low, tmp_path / "low.pt")
    wanted = {}
    for name in OURS:
        upsampler = build(find(name), scale, torch.device("cpu"), torch.float32)
        wanted[name] = upsampler.attempt(low)
        (tmp_path / f"{name.replace('-', '_')}_x{scale}.py").write_text(module(CodeRequest(method=name, scale=scale)))
    subprocess.run([sys.executable, "-c", RUN], cwd=tmp_path, check=True)
    for name, pixels in wanted.items():
        got = torch.load(tmp_path / f"{name.replace('-', '_')}_x{scale}.pt")
        assert torch.equal(got, pixels), name


def test_a_printed_module_is_self_contained_licensed_and_says_where_it_is_from(upbench: Callable) -> None:
    said = upbench("code", "polyphase-bicubic", "--scale", 4)
    assert said.code == 0
    assert "import upbench" not in said.out
    assert "from upbench" not in said.out
    assert "# MIT License" in said.out
    assert "`upbench code polyphase-bicubic --scale 4`" in said.out


def test_changed_pixels_fail_the_modules_own_check(tmp_path: Path) -> None:
    text = module(CodeRequest(method="bicubic")).replace('mode="bicubic"', 'mode="bilinear"')
    (tmp_path / "changed.py").write_text(text)
    done = subprocess.run([sys.executable, tmp_path / "changed.py"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "pixels changed by up to" in done.stderr


def test_weights_need_a_file_to_lie_beside(upbench: Callable, tmp_path: Path) -> None:
    said = upbench("code", "learned-espcn")
    assert said.code == 2
    assert "comes with weights: give --out FILE.py" in said.err
    assert said.err.count("\n") == 1
    written = upbench("code", "learned-espcn", "--out", tmp_path / "mine" / "espcn.py")
    assert written.code == 0
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == [
        "espcn.py",
        "learned-espcn-x2.safetensors",
    ]


@pytest.mark.parametrize("scale", [2, 4])
def test_methods_with_weights_and_of_other_libraries_make_the_same_pixels_too(tmp_path: Path, scale: int) -> None:
    low = torch.rand(2, 3, 19, 23, generator=torch.Generator().manual_seed(0))
    torch.save(low, tmp_path / "low.pt")
    wanted = {}
    for name in OTHERS:
        try:
            wanted[name] = build(find(name), scale, torch.device("cpu"), torch.float32).attempt(low)
        except SkippedError as error:
            assert "needs" in str(error)  # a library that is not installed here
            continue
        write(CodeRequest(method=name, scale=scale, out=tmp_path / f"{name.replace('-', '_')}_x{scale}.py"))
    assert len(wanted) >= 15
    subprocess.run([sys.executable, "-c", RUN], cwd=tmp_path, check=True)
    for name, pixels in wanted.items():
        got = torch.load(tmp_path / f"{name.replace('-', '_')}_x{scale}.pt")
        assert torch.equal(got, pixels), name


@pytest.mark.parametrize("name", INTERPOLATE)
def test_what_the_report_says_to_write_is_the_call(name: str) -> None:
    low = torch.rand(1, 3, 9, 11, generator=torch.Generator().manual_seed(0))
    options = eval(f"dict({INTERPOLATE[name]})")
    written = torch.nn.functional.interpolate(low, scale_factor=2, **options)
    assert torch.equal(written, build(find(name), 2, torch.device("cpu"), torch.float32).attempt(low))
