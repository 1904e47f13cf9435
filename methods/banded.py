"""Upsampling by two matrix products, `A x B^T`, whose matrices are nearly empty off a diagonal band."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from upbench.methods import filters
from upbench.methods.filters import Array, Kernel
from upbench.methods.limits import is_compiling
from upbench.methods.weights import PerSize
from upbench.methods.windows import both_axes, clamp, windows, zero

# Subnormal numbers make a product 20 times slower and lie far below any dtype's resolution of an image.
SMALLEST = 1e-12
# Measured on a CPU: from 256 outputs on, products of 64 outputs at a time beat one product mostly with zeros.
DENSE_BELOW = 256
BLOCK = 64


class Block(NamedTuple):
    """Some neighbouring outputs, the inputs they read, and the weights `(outputs, inputs)` between them."""

    outputs: slice
    inputs: slice
    weights: Tensor


def blocks(matrix: Array, device: torch.device, dtype: torch.dtype) -> list[Block]:
    """Blocks of rows of a matrix `(outputs, inputs)`, without outer zeros; a small matrix stays whole."""
    matrix = np.where(np.abs(matrix) < SMALLEST, 0.0, matrix)
    rows = BLOCK if device.type == "cpu" and len(matrix) >= DENSE_BELOW else len(matrix)
    return [_block(matrix[start : start + rows], start, device, dtype) for start in range(0, len(matrix), rows)]


def _block(rows: Array, start: int, device: torch.device, dtype: torch.dtype) -> Block:
    read = np.flatnonzero(np.abs(rows).sum(axis=0))
    inputs = slice(int(read[0]), int(read[-1]) + 1)
    weights = torch.as_tensor(rows[:, inputs], device=device, dtype=dtype).contiguous()
    return Block(slice(start, start + len(rows)), inputs, weights)


def along_columns(image: Tensor, parts: list[Block]) -> Tensor:
    """`(N, C, H, W)` to `(N, C, H, W')`: each row of the image times the transposed matrix."""
    if len(parts) == 1:
        return image[..., parts[0].inputs] @ parts[0].weights.T
    try:
        return _columns_written(image, parts)
    except RuntimeError:  # gradients, forward mode and vmap allow no writing into place
        return torch.cat([image[..., part.inputs] @ part.weights.T for part in parts], dim=-1)


def _columns_written(image: Tensor, parts: list[Block]) -> Tensor:
    rows = image.reshape(-1, image.shape[-1])
    wide = rows.new_empty(len(rows), parts[-1].outputs.stop)
    for part in parts:
        torch.mm(rows[:, part.inputs], part.weights.T, out=wide[:, part.outputs])
    return wide.view(*image.shape[:-1], -1)


def along_rows(image: Tensor, parts: list[Block]) -> Tensor:
    """`(N, C, H, W)` to `(N, C, H', W)`: the matrix times each plane of the image."""
    if len(parts) == 1:
        return parts[0].weights @ image[..., parts[0].inputs, :]
    try:
        return _rows_written(image, parts)
    except RuntimeError:
        return torch.cat([part.weights @ image[..., part.inputs, :] for part in parts], dim=-2)


def _rows_written(image: Tensor, parts: list[Block]) -> Tensor:
    planes = image.reshape(-1, *image.shape[-2:])
    tall = planes.new_empty(len(planes), parts[-1].outputs.stop, planes.shape[-1])
    for plane, target in zip(planes, tall, strict=True):
        for part in parts:
            torch.mm(part.weights, plane[part.inputs], out=target[part.outputs])
    return tall.view(*image.shape[:-2], *tall.shape[-2:])


def two_products(
    matrix: Callable[[int], Array],
    device: torch.device,
    dtype: torch.dtype,
    in_graph: Callable[[Tensor], Tensor],
) -> Callable[[Tensor], Tensor]:
    """An upsampler from `matrix(size)`, the weights `(scale * size, size)` of an axis that long, in float64.

    Columns first, then rows. The matrices are made once for each size. A graph that is captured, in which a size may
    be a symbol, gets the same pixels by `in_graph`, up to rounding.
    """
    parts = PerSize(partial(_axis, matrix=matrix, device=device, dtype=dtype))

    def upsample(low: Tensor) -> Tensor:
        if is_compiling():
            return in_graph(low)
        height, width = low.shape[-2:]
        return along_rows(along_columns(low, parts[width]), parts[height])

    return upsample


def kernel_products(kernel: Kernel, scale: int, device: torch.device, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """An upsampler by a kernel of `filters`, with its rule at the edge."""
    weights = partial(filters.matrix, kernel, scale)
    axis = windows(weights, kernel.radius, clamp if kernel.clamp else zero, device, dtype)
    return two_products(weights, device, dtype, both_axes(axis))


def _axis(size: int, matrix: Callable[[int], Array], device: torch.device, dtype: torch.dtype) -> list[Block]:
    return blocks(matrix(size), device, dtype)
