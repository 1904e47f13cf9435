"""Back-projection against the loop of the paper, written with torch's own enlarging and shrinking."""

import pytest
import torch
import torch.nn.functional as F
from skimage import data
from torch import Tensor

from upbench.bench.adapters import discover
from upbench.bench.inputs import random_images
from upbench.bench.upsampler import build
from upbench.methods.back_projection import ITERATIONS, STEP

CPU = torch.device("cpu")


def upsampled(name: str, low: Tensor, scale: int) -> Tensor:
    return build(discover()[name], scale, CPU, low.dtype)(low)


def shrink(high: Tensor, scale: int) -> Tensor:
    size = (high.shape[-2] // scale, high.shape[-1] // scale)
    return F.interpolate(high, size=size, mode="bicubic", antialias=True)


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
@pytest.mark.parametrize("shape", [(2, 3, 16, 16), (1, 1, 3, 140)])
def test_equals_the_iteration(scale: int, shape: tuple[int, int, int, int]) -> None:
    low = random_images(shape, dtype=torch.float64)
    high = F.interpolate(low, scale_factor=scale, mode="bicubic")
    for _ in range(ITERATIONS):
        missing = low - shrink(high, scale)
        high = high + STEP * F.interpolate(missing, scale_factor=scale, mode="bicubic")
    torch.testing.assert_close(upsampled("back-projection", low, scale), high, rtol=0, atol=1e-9)


@pytest.mark.parametrize("scale", range(2, 9))
def test_shrinks_to_the_low_image(scale: int) -> None:
    low = random_images((1, 1, 16, 16), dtype=torch.float64)
    left = (shrink(upsampled("back-projection", low, scale), scale) - low).abs().max()
    bicubic = (shrink(upsampled("bicubic", low, scale), scale) - low).abs().max()
    assert left < 0.02 * bicubic


@pytest.mark.parametrize("scale", [2, 4])
def test_is_closer_to_a_photograph_than_bicubic(scale: int) -> None:
    photograph = torch.from_numpy(data.astronaut()[:256, :256]).permute(2, 0, 1)[None] / 255
    low = shrink(photograph, scale)
    error = {
        name: (upsampled(name, low, scale) - photograph).square().mean() for name in ("bicubic", "back-projection")
    }
    assert error["back-projection"] < 0.95 * error["bicubic"]
