"""Layers that look at the content: CARAFE and DySample in plain torch, each with a 3x3 convolution behind it.

Neither mixes channels by itself, which all other layers do; the convolution makes them comparable.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from upbench.methods.layers.resized import conv1, conv3

COMPRESSED = 16  # channels from which CARAFE predicts its kernels (the paper's 64 is for 256 channels)
ENCODER, REASSEMBLY = 3, 5  # its kernel sizes
GROUPS = 4  # of channels that DySample moves together


class Carafe(nn.Module):
    """Wang et al., "CARAFE: content-aware reassembly of features", ICCV 2019: each output pixel's own 5x5 kernel."""

    def __init__(self, channels: int, scale: int) -> None:
        """A 1x1 convolution, a 3x3 one that predicts the kernels, and softmax over each kernel."""
        super().__init__()
        self.scale = scale
        self.compress = conv1(channels, min(channels, COMPRESSED))
        self.encode = conv3(min(channels, COMPRESSED), scale**2 * REASSEMBLY**2)
        nn.init.normal_(self.encode.weight, std=1e-3)  # nearly the mean of 5x5 at the start, as the authors have it

    def forward(self, low: Tensor) -> Tensor:
        """`(N, C, H, W)` to `(N, C, scale*H, scale*W)`."""
        n, c, h, w = low.shape
        kernels = F.pixel_shuffle(self.encode(self.compress(low)), self.scale).softmax(1)  # (N, 25, sH, sW)
        kernels = kernels.reshape(n, REASSEMBLY**2, h, self.scale, w, self.scale).permute(0, 2, 4, 1, 3, 5)
        patches = F.unfold(low, REASSEMBLY, padding=REASSEMBLY // 2)
        patches = patches.reshape(n, c, REASSEMBLY**2, h, w).permute(0, 3, 4, 1, 2)  # (N, H, W, C, 25)
        high = patches @ kernels.reshape(n, h, w, REASSEMBLY**2, self.scale**2)  # (N, H, W, C, s*s)
        return F.pixel_shuffle(high.flatten(3).permute(0, 3, 1, 2), self.scale)


class DySample(nn.Module):
    """Liu et al., "Learning to upsample by learning to sample", ICCV 2023 (linear, static scope 0.25).

    A 1x1 convolution predicts where each output pixel reads its input, bilinearly; with offsets of zero it is bilinear
    interpolation.
    """

    def __init__(self, channels: int, scale: int) -> None:
        """Channels move in four groups, or all together where four do not divide them."""
        super().__init__()
        self.scale = scale
        self.groups = GROUPS if channels % GROUPS == 0 else 1
        self.offset = conv1(channels, 2 * self.groups * scale**2)
        nn.init.normal_(self.offset.weight, std=1e-3)
        nn.init.zeros_(self.offset.bias)  # type: ignore[arg-type]

    def forward(self, low: Tensor) -> Tensor:
        """`(N, C, H, W)` to `(N, C, scale*H, scale*W)`."""
        n, c, h, w = low.shape
        moved = F.pixel_shuffle(0.25 * self.offset(low), self.scale)  # in low-resolution pixels, (N, 2G, sH, sW)
        moved = moved.reshape(n * self.groups, 2, self.scale * h, self.scale * w).permute(0, 2, 3, 1)
        size = low.new_tensor([w, h])
        grid = centres(low, self.scale) + 2 * moved / size
        grouped = low.reshape(n * self.groups, c // self.groups, h, w)
        high = F.grid_sample(grouped, grid, mode="bilinear", padding_mode="border", align_corners=False)
        return high.reshape(n, c, self.scale * h, self.scale * w)


def centres(low: Tensor, scale: int) -> Tensor:
    """Where the centres of the output's pixels lie on the input, in [-1, 1]: `(sH, sW, 2)`, x first."""
    rows, columns = (
        (2 * torch.arange(scale * side, device=low.device, dtype=low.dtype) + 1) / (scale * side) - 1
        for side in low.shape[-2:]
    )
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack([x, y], dim=-1)


def carafe_conv3(channels: int, scale: int) -> nn.Module:
    """Content-aware reassembly, then a 3x3 convolution."""
    return nn.Sequential(Carafe(channels, scale), conv3(channels, channels))


def dysample_conv3(channels: int, scale: int) -> nn.Module:
    """Sampling at learned places, then a 3x3 convolution."""
    return nn.Sequential(DySample(channels, scale), conv3(channels, channels))
