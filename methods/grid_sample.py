"""`torch.nn.functional.grid_sample` at the centres of the output pixels.

`align_corners=False`, edge clamped (`padding_mode="border"`); the grid is cached for each image size, so that
the timed call is the sampling alone. Coordinates run over [-1, 1] in the image's dtype: at 256 pixels they
are good to 1e-5 pixels in float32, and off by a visible part of a pixel in 16 bits. Integer scales 2 to 8.
Source: PyTorch documentation of `torch.nn.functional.grid_sample`.
"""

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from upbench.methods.claims import interpolator
from upbench.methods.limits import require
from upbench.methods.weights import PerSize


def _centres(size: int, scale: int) -> Tensor:
    """Output pixel centres where the image spans [-1, 1]: `(2 i + 1) / (scale * size) - 1`, in float64."""
    return (2 * torch.arange(scale * size, dtype=torch.float64) + 1) / (scale * size) - 1


def _grid(size: tuple[int, int], scale: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Where each output pixel reads: `(1, scale*H, scale*W, 2)`, x before y."""
    height, width = size
    x, y = torch.meshgrid(_centres(width, scale), _centres(height, scale), indexing="xy")
    return torch.stack((x, y), dim=-1)[None].to(device=device, dtype=dtype)


def _sample(mode: str, scale: int, device: torch.device, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    require(scale, dtype)
    grids = PerSize(partial(_grid, scale=scale, device=device, dtype=dtype))

    def upsample(low: Tensor) -> Tensor:
        n, _, height, width = low.shape
        grid = grids[height, width].expand(n, -1, -1, -1)
        return F.grid_sample(low, grid, mode=mode, padding_mode="border", align_corners=False)

    return upsample


@interpolator
def grid_sample_bilinear(scale: int, device: torch.device, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """The pixels of `bilinear`, sampled on a cached grid."""
    return _sample("bilinear", scale, device, dtype)


@interpolator
def grid_sample_bicubic(scale: int, device: torch.device, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """The pixels of `bicubic` (a = -0.75), sampled on a cached grid; not in 16 bits."""
    if dtype in (torch.float16, torch.bfloat16):
        raise NotImplementedError(f"grid_sample's bicubic weights do not add up to one in {dtype}")
    return _sample("bicubic", scale, device, dtype)
