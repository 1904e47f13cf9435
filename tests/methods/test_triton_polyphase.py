"""The Triton kernel: its pixels in Triton's interpreter and on a GPU, its code for one, and how it declines."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from upbench import methods
from upbench.bench.adapters import discover
from upbench.bench.conformance import conforming
from upbench.bench.errors import SkippedError
from upbench.bench.inputs import random_images
from upbench.bench.upsampler import build
from upbench.methods import filters, triton_polyphase

KERNELS = {"bilinear": filters.TRIANGLE, "bicubic": filters.TORCH_CUBIC, "lanczos3": filters.LANCZOS[3]}
CUDA = torch.device("cuda")

kernels = pytest.mark.parametrize("kernel", KERNELS)
on_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


@pytest.fixture
def triton() -> Any:
    return pytest.importorskip("triton", reason="Triton is not installed")


def test_in_the_interpreter(triton: Any, environment: dict[str, str], tmp_path: Path) -> None:
    """In a process of its own, so that the interpreter cannot reach another test."""
    interpreted = Path(__file__).with_name("triton_interpreted.py")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(interpreted)]
    variables = environment | {"TRITON_INTERPRET": "1"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


@kernels
def test_a_cpu_without_the_interpreter_is_declined(kernel: str, triton: Any) -> None:
    with pytest.raises(SkippedError, match=r"needs a GPU; .*TRITON_INTERPRET=1"):
        build(discover()[f"triton-polyphase-{kernel}"], 2, torch.device("cpu"), torch.float32)


@kernels
def test_without_triton_it_says_so(kernel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(methods, "triton_kernel", raising=False)
    monkeypatch.delitem(sys.modules, "upbench.methods.triton_kernel", raising=False)
    monkeypatch.setitem(sys.modules, "triton", None)
    with pytest.raises(SkippedError, match=r"^needs Triton, .*pip install upbench\[triton\]"):
        build(discover()[f"triton-polyphase-{kernel}"], 2, CUDA, torch.float32)


@pytest.mark.parametrize(("width", "block"), [(1, 32), (33, 64), (64, 64), (100, 128), (600, 128), (1024, 512)])
def test_a_block_leaves_few_lanes_idle(width: int, block: int) -> None:
    assert triton_polyphase._block(width) == block


def compiled(triton: Any, kernel: filters.Kernel, scale: int, pointer: str) -> dict[str, str]:
    """What Triton makes of a launch on rows that are multiples of 512, for an H100 or H200, none being needed."""
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from upbench.methods.triton_kernel import upsample_strip as strip

    constants = {
        "table": tuple(filters.cell(kernel, scale).ravel().tolist()),
        "scale": scale,
        "taps": 2 * kernel.radius,
        "clamp": kernel.clamp,
        "cells": triton_polyphase.ROWS // scale,
        "block": 512,
    }
    arguments = dict.fromkeys(("low", "high"), pointer) | dict.fromkeys(("height", "width", "high_width"), "i32")
    source = ASTSource(
        fn=strip,
        signature=arguments | dict.fromkeys(constants, "constexpr"),
        constexprs={(strip.arg_names.index(name),): value for name, value in constants.items()},
        attrs={(place,): [["tt.divisibility", 16]] for place in range(len(arguments))},
    )
    made: dict[str, str] = triton.compile(
        source, target=GPUTarget("cuda", 90, 32), options={"num_warps": 4, "enable_fp_fusion": True}
    ).asm
    return made


@pytest.mark.parametrize(
    ("pointer", "store"), [("*fp32", "v4.b32"), ("*fp16", "v2.b32"), ("*bf16", "v2.b32"), ("*u8", "b32")]
)
def test_compiles_for_a_gpu_with_rows_stored_four_outputs_a_thread(
    pointer: str, store: str, triton: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    made = compiled(triton, filters.TRIANGLE, 2, pointer)
    stores = [line for line in made["ptx"].splitlines() if "st.global" in line]
    assert len(stores) == triton_polyphase.ROWS
    assert all(f"st.global.{store} " in line for line in stores)
    assert "convert_layout" not in made["ttgir"]  # nothing is shuffled between loads and stores


@pytest.mark.gpu
@on_gpu
@kernels
@pytest.mark.parametrize("scale", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("dtype", triton_polyphase.DTYPES, ids=str)
def test_on_a_gpu_every_pixel(kernel: str, scale: int, dtype: torch.dtype, triton: Any) -> None:
    for shape in ((2, 3, 37, 53), (1, 2, 16, 512), (1, 1, 1, 1)):
        low = random_images(shape, dtype=dtype, device=CUDA)
        high = build(discover()[f"triton-polyphase-{kernel}"], scale, CUDA, dtype)(low)
        expected = torch.as_tensor(filters.matrix(KERNELS[kernel], scale, shape[2]), device=CUDA) @ low.double()
        expected = expected @ torch.as_tensor(filters.matrix(KERNELS[kernel], scale, shape[3]), device=CUDA).mT
        if dtype == torch.uint8:
            allowed, expected = torch.tensor(0.5 + 1e-4, device=CUDA), expected.clamp(0, 255)
        else:
            half_ulp = 0.0 if dtype == torch.float32 else torch.finfo(dtype).eps / 2
            allowed = 1e-6 + half_ulp * expected.abs()
        assert ((high.double() - expected).abs() <= allowed).all()


@pytest.mark.gpu
@on_gpu
@kernels
def test_on_a_gpu_a_graph_captures_it(kernel: str, triton: Any) -> None:
    upsample = conforming(discover()[f"triton-polyphase-{kernel}"], 2, CUDA, torch.float32)
    low, other = (random_images((2, 3, 33, 64), device=CUDA, seed=seed) for seed in (1, 2))
    upsample(low)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        high = upsample(low)
    low.copy_(other)
    graph.replay()
    torch.cuda.synchronize()
    assert torch.equal(high, upsample(other))


@pytest.mark.gpu
@on_gpu
def test_on_a_gpu_offsets_beyond_32_bits(triton: Any) -> None:
    if torch.cuda.mem_get_info()[0] < 8 * 2**30:
        pytest.skip("needs 8 GiB of free GPU memory")
    low = random_images((1, 2, 18000, 18000), dtype=torch.uint8, device=CUDA)
    upsample = build(discover()["triton-polyphase-bilinear"], 2, CUDA, torch.uint8)
    assert torch.equal(upsample(low)[:, 1:], upsample(low[:, 1:]))
    small = low[:, 1:, -64:, -64:].double()
    corner = F.interpolate(small, scale_factor=2, mode="bilinear").round().to(torch.uint8)
    assert torch.equal(upsample(low)[:, 1:, -64:, -64:], corner[..., -64:, -64:])
