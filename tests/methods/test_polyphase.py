"""The fast roads against `F.interpolate` and Pillow's Lanczos, at every pixel, borders included."""

import runpy

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from upbench.bench.adapters import discover
from upbench.bench.inputs import random_images
from upbench.bench.upsampler import build
from upbench.methods import limits

CPU = torch.device("cpu")
ROADS = ("polyphase", "matmul")
CASES = [(scale, (3, 3, 16, 16)) for scale in range(2, 9)]
CASES += [(scale, (1, 2, 9, 130)) for scale in range(2, 9)]  # wide enough for products by blocks
CASES += [(2, (256, 3, 16, 16)), (2, (1, 3, 256, 256))]

roads = pytest.mark.parametrize("road", ROADS)


def upsampled(name: str, low: Tensor, scale: int) -> Tensor:
    return build(discover()[name], scale, CPU, low.dtype)(low)


@roads
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize(("scale", "shape"), CASES)
def test_equals_interpolate(road: str, mode: str, scale: int, shape: tuple[int, int, int, int]) -> None:
    low = random_images(shape)
    expected = F.interpolate(low.double(), scale_factor=scale, mode=mode).float()
    torch.testing.assert_close(upsampled(f"{road}-{mode}", low, scale), expected, rtol=0, atol=1e-6)


@roads
@pytest.mark.parametrize("scale", range(2, 9))
@pytest.mark.parametrize("shape", [(3, 3, 16, 16), (1, 2, 130, 9)])
def test_equals_lanczos3(road: str, scale: int, shape: tuple[int, int, int, int]) -> None:
    """`lanczos3` itself is held against Pillow by its own test."""
    low = random_images(shape)
    expected = upsampled("lanczos3", low.double(), scale).float()
    torch.testing.assert_close(upsampled(f"{road}-lanczos3", low, scale), expected, rtol=0, atol=1e-6)


@roads
@pytest.mark.parametrize(("kernel", "same"), [("bilinear", "bilinear"), ("bicubic", "bicubic")])
@settings(max_examples=20, deadline=None)
@given(height=st.integers(1, 7), width=st.integers(1, 7), scale=st.integers(2, 8))
def test_small_images_where_both_borders_meet(
    road: str, kernel: str, same: str, height: int, width: int, scale: int
) -> None:
    low = random_images((2, 2, height, width), dtype=torch.float64)
    expected = F.interpolate(low, scale_factor=scale, mode=same)
    torch.testing.assert_close(upsampled(f"{road}-{kernel}", low, scale), expected, rtol=0, atol=1e-9)


@settings(max_examples=20, deadline=None)
@given(height=st.integers(1, 9), width=st.integers(1, 9), scale=st.integers(2, 8))
def test_small_images_lanczos3(height: int, width: int, scale: int) -> None:
    low = random_images((2, 2, height, width), dtype=torch.float64)
    torch.testing.assert_close(
        upsampled("polyphase-lanczos3", low, scale), upsampled("lanczos3", low, scale), rtol=0, atol=1e-9
    )


@pytest.mark.parametrize("kernel", ["bilinear", "bicubic", "lanczos3"])
def test_planes_do_not_leak_into_each_other(kernel: str) -> None:
    """All planes are worked on as one line; a NaN in one must not reach its neighbours."""
    low = random_images((3, 1, 12, 12))
    low[1] = torch.nan
    high = upsampled(f"polyphase-{kernel}", low, 2)
    assert high[1].isnan().all()
    assert high[[0, 2]].isfinite().all()


@pytest.mark.parametrize("kernel", ["bilinear", "bicubic", "lanczos3"])
def test_rows_do_not_leak_into_each_other(kernel: str) -> None:
    low = random_images((1, 1, 40, 12))
    low[..., 20, -1] = torch.nan
    assert upsampled(f"polyphase-{kernel}", low, 2)[..., :8].isfinite().all()


def test_a_torch_of_2_0_can_be_asked_the_same_without_its_newer_attributes(monkeypatch):
    monkeypatch.delattr(torch, "compiler")
    found = runpy.run_path(limits.__file__)
    assert found["is_compiling"]() is False
    assert [found["working_dtype"](each) for each in limits.FLOATS] == [
        torch.float64, torch.float32, torch.float32, torch.float32]  # fmt: skip
