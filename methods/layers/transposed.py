"""Transposed convolutions, and pixel shuffle behind a 3x3 convolution, which holds every one of them."""

import torch
from torch import Tensor, nn

from upbench.methods.layers.resized import conv3


def transposed(kernel: int, padding: int, extra: int, channels: int, scale: int) -> nn.Module:
    """ConvTranspose2d of that geometry; declines every scale but 2, for which the kernels are made."""
    if scale != 2:
        raise NotImplementedError(f"kernel {kernel} is made for x2, not x{scale}")
    return nn.ConvTranspose2d(channels, channels, kernel, stride=2, padding=padding, output_padding=extra)


def transposed_k2(channels: int, scale: int) -> nn.Module:
    """ConvTranspose2d, kernel 2, stride 2: no overlap, each output pixel reads one input pixel."""
    return transposed(2, 0, 0, channels, scale)


def transposed_k3(channels: int, scale: int) -> nn.Module:
    """ConvTranspose2d, kernel 3, stride 2: overlaps unevenly, the phases read 1, 2, 2 and 4 input pixels."""
    return transposed(3, 1, 1, channels, scale)


def transposed_k4(channels: int, scale: int) -> nn.Module:
    """ConvTranspose2d, kernel 4, stride 2: every output pixel reads four input pixels."""
    return transposed(4, 1, 0, channels, scale)


def pixel_shuffle(channels: int, scale: int) -> nn.Module:
    """A 3x3 convolution to scale^2*C channels, then PixelShuffle (Shi et al., "ESPCN", 2016)."""
    return nn.Sequential(conv3(channels, scale**2 * channels), nn.PixelShuffle(scale))


def pixel_shuffle_icnr(channels: int, scale: int) -> nn.Module:
    """Pixel shuffle whose phases start equal (Aitken et al., "Checkerboard artifact free sub-pixel convolution")."""
    layer = conv3(channels, scale**2 * channels)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(first_of_each(parameter, scale**2))
    return nn.Sequential(layer, nn.PixelShuffle(scale))


def first_of_each(weight: Tensor, phases: int) -> Tensor:
    """Of every `phases` neighbours along the first axis the first, as many times."""
    return weight[::phases].repeat_interleave(phases, 0)
