"""Layers that interpolate and then convolve (Odena et al., "Deconvolution and checkerboard artifacts", 2016).

A layer's factory is `factory(channels, scale)`; the layer maps `(N, C, H, W)` to `(N, C, scale*H, scale*W)`.
"""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from upbench.methods.polyphase import polyphase_bicubic

GROUPS = 4  # of neighbouring channels that additive upsampling adds up


class Resize(nn.Module):
    """Interpolation by `scale` in one of torch's modes."""

    def __init__(self, scale: int, mode: str) -> None:
        """`mode` is nearest, bilinear or bicubic (half-pixel centres, edge clamped)."""
        super().__init__()
        self.scale, self.mode = scale, mode

    def forward(self, low: Tensor) -> Tensor:
        """`(N, C, H, W)` to `(N, C, scale*H, scale*W)`."""
        return F.interpolate(low, scale_factor=self.scale, mode=self.mode)


class Polyphase(nn.Module):
    """The pixels of torch's bicubic interpolation, by phases: `upbench.methods.polyphase`."""

    def __init__(self, scale: int) -> None:
        """Weights are fixed per scale; they are made when the first input shows its device and dtype."""
        super().__init__()
        self.scale = scale
        self.roads: dict[Any, Any] = {}

    def forward(self, low: Tensor) -> Tensor:
        """`(N, C, H, W)` to `(N, C, scale*H, scale*W)`."""
        key = (low.device, low.dtype)
        if key not in self.roads:
            self.roads[key] = polyphase_bicubic(self.scale, *key)
        high: Tensor = self.roads[key](low)
        return high


class Additive(nn.Module):
    """Bilinear interpolation, of which each `GROUPS` neighbouring channels are added up.

    Wojna et al., "The devil is in the decoder", 2017 (bilinear additive upsampling). Both steps are linear, so the sum
    comes first here: the same pixels for a quarter of the work.
    """

    def __init__(self, scale: int) -> None:
        """Nothing is learned."""
        super().__init__()
        self.scale = scale

    def forward(self, low: Tensor) -> Tensor:
        """`(N, GROUPS*C, H, W)` to `(N, C, scale*H, scale*W)`."""
        n, c, h, w = low.shape
        added = low.reshape(n, c // GROUPS, GROUPS, h, w).sum(2)
        return F.interpolate(added, scale_factor=self.scale, mode="bilinear")


def conv3(inputs: int, outputs: int) -> nn.Conv2d:
    """A 3x3 convolution with zeros beyond the border, as torch initialises it."""
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def nearest_conv3(channels: int, scale: int) -> nn.Module:
    """Nearest neighbour, then a 3x3 convolution."""
    return nn.Sequential(Resize(scale, "nearest"), conv3(channels, channels))


def bilinear_conv3(channels: int, scale: int) -> nn.Module:
    """Bilinear interpolation, then a 3x3 convolution."""
    return nn.Sequential(Resize(scale, "bilinear"), conv3(channels, channels))


def bicubic_conv3(channels: int, scale: int) -> nn.Module:
    """Bicubic interpolation (torch's own), then a 3x3 convolution."""
    return nn.Sequential(Resize(scale, "bicubic"), conv3(channels, channels))


def polyphase_bicubic_conv3(channels: int, scale: int) -> nn.Module:
    """The same pixels as bicubic+conv3, interpolated by phases."""
    return nn.Sequential(Polyphase(scale), conv3(channels, channels))


def additive_conv3(channels: int, scale: int) -> nn.Module:
    """Bilinear additive upsampling to C/4 channels, then a 3x3 convolution C/4 -> C, as Wojna et al. have it.

    The other order gains nothing: additive upsampling behind a convolution C -> 4C equals bilinear interpolation behind
    a convolution C -> C whose weights are the sums of four.
    """
    if channels % GROUPS:
        raise NotImplementedError(f"additive upsampling takes a multiple of {GROUPS} channels, not {channels}")
    return nn.Sequential(Additive(scale), conv3(channels // GROUPS, channels))


def conv1(inputs: int, outputs: int) -> nn.Conv2d:
    """A 1x1 convolution, as torch initialises it."""
    return nn.Conv2d(inputs, outputs, 1)
