"""The Triton kernel's pixels in Triton's interpreter; `test_triton_polyphase` runs this file in a process of its own.

The interpreter is chosen while Triton is imported and holds for the whole process, hence not a test file by name.
"""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from upbench.bench import conformance
from upbench.bench.adapters import discover
from upbench.bench.errors import SkippedError
from upbench.bench.inputs import random_images
from upbench.bench.upsampler import build

CPU = torch.device("cpu")
KERNELS = ("bilinear", "bicubic", "lanczos3")
# What rounding once may leave, as a share of the value; the interpreter, unlike a GPU, truncates to bfloat16.
ROUNDING = {torch.float32: 0.0, torch.float16: 2**-11, torch.bfloat16: 2**-7}

kernels = pytest.mark.parametrize("kernel", KERNELS)


def upsampled(kernel: str, low: Tensor, scale: int) -> Tensor:
    return build(discover()[f"triton-polyphase-{kernel}"], scale, CPU, low.dtype)(low)


def reference(kernel: str, low: Tensor, scale: int) -> Tensor:
    """In float64 by other roads; `lanczos3` is held against Pillow by its own test."""
    if kernel == "lanczos3":
        return build(discover()[kernel], scale, CPU, torch.float64)(low.double())
    return F.interpolate(low.double(), scale_factor=scale, mode=kernel)


def assert_same_pixels(kernel: str, low: Tensor, scale: int) -> None:
    high, expected = upsampled(kernel, low, scale), reference(kernel, low, scale)
    assert high.dtype == low.dtype
    assert high.is_contiguous()
    allowed = 1e-6 + ROUNDING[low.dtype] * expected.abs()
    assert high.shape == expected.shape
    assert ((high.double() - expected).abs() <= allowed).all()


@kernels
@pytest.mark.parametrize(
    ("scale", "shape"),
    [
        *((scale, (1, 2, 5, 7)) for scale in (2, 3, 4)),
        *((scale, (1, 1, 1, 1)) for scale in (2, 3, 4)),
        (2, (2, 1, 1, 9)),
        (2, (1, 1, 6, 1)),
        (3, (1, 1, 13, 2)),  # several strips of rows
        (2, (1, 1, 2, 65)),  # several blocks of columns, the last one partly idle
        (2, (1, 1, 3, 256)),  # a block filled to its end
        (8, (1, 1, 2, 3)),
    ],
    ids=str,
)
def test_every_pixel_in_float32(kernel: str, scale: int, shape: tuple[int, int, int, int]) -> None:
    assert_same_pixels(kernel, random_images(shape), scale)


@kernels
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("scale", [2, 3])
def test_half_precision_is_rounded_once(kernel: str, scale: int, dtype: torch.dtype) -> None:
    assert_same_pixels(kernel, random_images((1, 2, 6, 5), dtype=dtype), scale)


@kernels
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_uint8_is_clamped_and_rounded_to_the_nearest(kernel: str, scale: int) -> None:
    low = random_images((1, 2, 6, 5), dtype=torch.uint8)
    low[0, 0, 2:4] = torch.tensor([0, 255, 0, 255, 255], dtype=torch.uint8)  # overshoots on both sides
    expected = reference(kernel, low, scale).clamp(0, 255)
    assert ((upsampled(kernel, low, scale).double() - expected).abs() <= 0.5 + 1e-4).all()


def test_uint8_ties_go_to_even() -> None:
    low = random_images((1, 2, 9, 9), dtype=torch.uint8)
    exact = reference("bilinear", low, 2)  # sixteenths, which float32 holds too
    assert (exact.frac() == 0.5).any()
    assert torch.equal(upsampled("bilinear", low, 2), exact.round().to(torch.uint8))


def test_scales_that_the_plain_methods_do_not_have() -> None:
    low = random_images((1, 1, 3, 4))
    for scale in (1, 17):
        assert_same_pixels("bilinear", low, scale)
        assert_same_pixels("bicubic", low, scale)


@kernels
@settings(max_examples=5, deadline=None)
@given(height=st.integers(1, 7), width=st.integers(1, 7), scale=st.integers(2, 5))
def test_small_images_where_both_borders_meet(kernel: str, height: int, width: int, scale: int) -> None:
    assert_same_pixels(kernel, random_images((1, 1, height, width)), scale)


@kernels
def test_keeps_the_contract(kernel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conformance, "SHAPE", (1, 2, 4, 4))  # the interpreter takes seconds for the usual one
    conformance.conforming(discover()[f"triton-polyphase-{kernel}"], 2, CPU, torch.float32)


def test_layout_and_slicing_do_not_matter() -> None:
    low = random_images((1, 3, 5, 6))
    high = upsampled("bicubic", low, 2)
    padded = torch.full((1, 3, 7, 8), torch.nan)
    padded[..., 1:-1, 1:-1] = low
    assert torch.equal(upsampled("bicubic", low.contiguous(memory_format=torch.channels_last), 2), high)
    assert torch.equal(upsampled("bicubic", padded[..., 1:-1, 1:-1], 2), high)


@kernels
def test_planes_and_rows_do_not_leak_into_each_other(kernel: str) -> None:
    low = random_images((3, 1, 5, 12))
    low[1] = torch.nan
    low[0, ..., 2, -1] = torch.nan
    high = upsampled(kernel, low, 2)
    assert high[1].isnan().all()
    assert high[2].isfinite().all()
    assert high[0, ..., :12].isfinite().all()


def test_an_empty_batch_stays_empty() -> None:
    assert upsampled("bilinear", torch.zeros(0, 3, 4, 4), 2).shape == (0, 3, 8, 8)


def test_declines_gradients_which_it_has_not() -> None:
    low = random_images((1, 1, 3, 3)).requires_grad_()
    with pytest.raises(NotImplementedError, match="no backward pass"):
        upsampled("bilinear", low, 2)
    with torch.no_grad():
        assert upsampled("bilinear", low, 2).shape == (1, 1, 6, 6)


@pytest.mark.parametrize(
    ("scale", "device", "dtype", "reason"),
    [
        (0, "cpu", torch.float32, "integer scales only"),
        (2, "cpu", torch.float64, "not torch.float64"),
        (2, "cuda", torch.float32, "interpreter is on"),
        (2, "meta", torch.float32, "not on meta"),
    ],
)
def test_declines_with_a_reason(scale: int, device: str, dtype: torch.dtype, reason: str) -> None:
    with pytest.raises(SkippedError, match=reason):
        build(discover()["triton-polyphase-bilinear"], scale, torch.device(device), dtype)
