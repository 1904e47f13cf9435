import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from upbench.bench.adapters import discover
from upbench.bench.errors import SkippedError
from upbench.bench.inputs import random_images
from upbench.bench.upsampler import build

CPU = torch.device("cpu")


def upsampled(name: str, low: Tensor, scale: int) -> Tensor:
    return build(discover()[name], scale, CPU, low.dtype)(low)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("scale", range(2, 9))
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_equals_interpolate(mode: str, scale: int, dtype: torch.dtype, tolerance: float) -> None:
    low = random_images((2, 3, 17, 10), dtype=dtype)
    expected = F.interpolate(low, scale_factor=scale, mode=mode)
    torch.testing.assert_close(upsampled(f"grid-sample-{mode}", low, scale), expected, rtol=0, atol=tolerance)


def test_one_upsampler_serves_other_sizes_and_batches() -> None:
    upsample = build(discover()["grid-sample-bilinear"], 2, CPU, torch.float32)
    for shape in ((1, 3, 8, 8), (4, 3, 8, 8), (1, 3, 8, 5), (1, 1, 5, 8)):
        low = random_images(shape)
        torch.testing.assert_close(upsample(low), F.interpolate(low, scale_factor=2, mode="bilinear"))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_bicubic_declines_16_bits(dtype: torch.dtype) -> None:
    """torch's kernel changes a constant there; the reason is checked, so that it goes once torch mends it."""
    with pytest.raises(SkippedError, match="do not add up to one"):
        build(discover()["grid-sample-bicubic"], 2, CPU, dtype)
    centres = ((2 * torch.arange(48) + 1) / 48 - 1).to(dtype)
    grid = torch.stack(torch.meshgrid(centres, centres, indexing="xy"), dim=-1)[None]
    flat = torch.full((1, 1, 16, 16), 0.4, dtype=dtype)
    high = F.grid_sample(flat, grid, mode="bicubic", padding_mode="border", align_corners=False)
    assert (high - flat[0, 0, 0, 0]).abs().max() > 2e-3
