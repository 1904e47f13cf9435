"""Interpolation inside a graph: fixed weights that know no image size, so one export serves every height and width.

`torch.compile`, `torch.export` and the exporters behind it record a method's calls. Weights that an eager road keeps
by image size (`banded`) would be frozen there at one size, so a graph gets this road: an axis is padded and cut into
blocks of pixels; the outputs of a block read it and a few pixels of its neighbours, in every block at the same
weights. That is one matrix product for an axis of any length.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from upbench.methods.filters import Array

WINDOW = 8  # pixels; measured in ONNX Runtime: 1.0 ms where 32 take 1.6, because they multiply by more zeros

Pad = Callable[[Tensor, int, int], Tensor]  # rows of `(..., H, W)` before the first and after the last


class Windows(NamedTuple):
    """Weights `(scale * block, block + 2 * reach)` of the outputs of a block, and how an axis goes on at its ends."""

    weights: Tensor
    scale: int
    block: int
    pad: Pad


def clamp(image: Tensor, before: int, after: int) -> Tensor:
    """The edge pixel goes on."""
    return F.pad(image, (0, 0, before, after), mode="replicate")


def zero(image: Tensor, before: int, after: int) -> Tensor:
    """Nothing is there; the weights that remain inside are renormalised."""
    return F.pad(image, (0, 0, before, after))


def mirror(image: Tensor, before: int, after: int) -> Tensor:
    """The image is mirrored, the edge pixel repeated, as often as it takes."""
    size = image.shape[-2]
    index = torch.arange(-before, size + after, device=image.device)
    period = torch.full_like(index, 2 * size)  # a tensor: the ONNX exporter knows no remainder of a symbol
    once = index % period
    return image.index_select(-2, torch.minimum(once, period - 1 - once))


def windows(matrix: Callable[[int], Array], reach: int, pad: Pad, device: torch.device, dtype: torch.dtype) -> Windows:
    """Take an inner pixel's weights from `matrix(size)`, those `(scale * size, size)` of a whole axis.

    `reach` is how many pixels away to each side an output can read.
    """
    size = 2 * reach + 1
    whole = matrix(size)
    scale = len(whole) // size
    phases = torch.from_numpy(whole[scale * reach : scale * (reach + 1)])
    block = max(WINDOW, 2 * reach)
    weights = torch.zeros(block, scale, block + 2 * reach, dtype=torch.float64)
    for pixel in range(block):
        weights[pixel, :, pixel : pixel + size] = phases
    return Windows(weights.flatten(0, 1).to(device, dtype), scale, block, pad)


def enlarged_rows(image: Tensor, axis: Windows) -> Tensor:
    """`(N, C, H, W)` to `(N, C, scale * H, W)`."""
    high = product(image, axis)
    return high / product(torch.ones_like(image[:1, :1, :, :1]), axis) if axis.pad is zero else high


def product(image: Tensor, axis: Windows) -> Tensor:
    """`(..., H, W)` to `(..., scale * H, W)`: each block of rows, and those around it, at the weights."""
    size, around = image.shape[-2], axis.weights.shape[1] - axis.block
    blocks = (size + axis.block - 1) // axis.block + 1  # one more than it takes: a graph freezes what could be 1
    padded = axis.pad(image, around // 2, (blocks + 1) * axis.block - size - around // 2)
    cut = padded.reshape(*image.shape[:-2], blocks + 1, axis.block, image.shape[-1])
    read = torch.cat((cut[..., :-1, :, :], cut[..., 1:, :around, :]), dim=-2)
    return (axis.weights @ read).flatten(-3, -2).narrow(-2, 0, axis.scale * size)


def both_axes(axis: Windows) -> Callable[[Tensor], Tensor]:
    """An upsampler of `(N, C, H, W)`: columns first, then rows."""
    return lambda low: enlarged_rows(enlarged_rows(low.mT, axis).mT, axis)
