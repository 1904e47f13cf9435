"""Interpolation by phases: all outputs between two neighbouring pixels read the same taps, at fixed weights.

Half-pixel geometry, integer scales 2 to 8, no matrices but at the border: at scale s there are s phases, each
a weighted sum of shifted slices, written interleaved. Kernels and edge rules: `filters`.

An axis is worked on as if the image were one long line of pixels (columns) or of rows, which makes long, fast
loops; the outputs whose taps would come from the next line are exactly those near the border, and these are
overwritten with weights of their own. A graph that is captured (`torch.compile`, exporters) takes fewer and larger
operations instead (`windows`): the same pixels, up to rounding. `torch.func.vmap` runs `addcmul_` in a loop.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from upbench.methods import filters
from upbench.methods.claims import interpolator
from upbench.methods.limits import is_compiling, require
from upbench.methods.windows import both_axes, clamp, windows, zero


class Phases(NamedTuple):
    """Fixed weights of one axis at one scale.

    `numbers[tap][phase]` and the same as a tensor `(taps, scale, 1)`; `head` and `tail` are the weights
    `(outputs, inputs)` of the first and last outputs, those whose taps reach beyond the border. `short` has
    all weights of an axis so short that its two ends meet, by its size.
    """

    numbers: list[list[float]]
    weights: Tensor
    head: Tensor
    tail: Tensor
    short: dict[int, Tensor]


def _phases(kernel: filters.Kernel, scale: int, device: torch.device, dtype: torch.dtype) -> Phases:
    weights = filters.cell(kernel, scale)
    reach = len(weights) - 1
    head = scale // 2 + (kernel.radius - 1) * scale
    tail = reach * scale - head
    cast = partial(torch.as_tensor, device=device, dtype=dtype)
    longer = filters.matrix(kernel, scale, 2 * reach)
    return Phases(
        numbers=weights.tolist(),
        weights=cast(weights[..., None]),
        head=cast(longer[:head, :reach]),
        tail=cast(longer[-tail:, -reach:]),
        short={size: cast(filters.matrix(kernel, scale, size)) for size in range(1, reach)},
    )


def _into(target: Tensor, operation: Callable[..., Tensor], *inputs: Any, **options: Any) -> None:
    """Write an operation's result into a slice; by a copy where gradients, forward mode or vmap refuse `out=`."""
    try:
        operation(*inputs, **options, out=target)
    except RuntimeError:
        target.copy_(operation(*inputs, **options))


def _columns_between(pixels: Tensor, target: Tensor, phases: Phases) -> None:
    """Outputs between pixels: from `(cells + taps - 1,)` into `(cells, scale)`, phase by phase."""
    cells = len(target)
    slices = [pixels[tap : tap + cells] for tap in range(len(phases.numbers))]
    for phase, weights in enumerate(zip(*phases.numbers, strict=True)):
        place = target[:, phase]
        if len(slices) == 2:
            _into(place, torch.lerp, slices[0], slices[1], weights[1])
            continue
        total = slices[0] * weights[0]
        for part, weight in zip(slices[1:-1], weights[1:-1], strict=True):
            total = total.add_(part, alpha=weight)
        _into(place, torch.add, total, slices[-1], alpha=weights[-1])


def _rows_between(rows: Tensor, target: Tensor, phases: Phases) -> None:
    """Outputs between rows: from `(cells + taps - 1, W)` into `(cells, scale, W)`, all phases at once."""
    cells = len(target)
    slices = [rows[tap : tap + cells, None] for tap in range(len(phases.weights))]
    if len(slices) == 2:
        _into(target, torch.lerp, slices[0], slices[1], phases.weights[1])
        return
    _into(target, torch.mul, slices[0], phases.weights[0])
    for part, weight in zip(slices[1:], phases.weights[1:], strict=True):
        target.addcmul_(part, weight)


def _along_columns(image: Tensor, phases: Phases) -> Tensor:
    """`(P, H, W)` to `(P, H, scale * W)`."""
    planes, height, width = image.shape
    if width in phases.short:
        return image @ phases.short[width].T
    taps, scale, _ = phases.weights.shape
    head, tail = phases.head, phases.tail
    wide = image.new_empty(planes, height, scale * width)
    cells = image.numel() - taps + 1
    target = wide.view(-1)[len(head) : len(head) + cells * scale].view(cells, scale)
    _columns_between(image.view(-1), target, phases)
    wide[..., : len(head)] = _edge(image[..., : taps - 1], head)
    wide[..., scale * width - len(tail) :] = _edge(image[..., 1 - taps :], tail)
    return wide


def _along_rows(image: Tensor, phases: Phases) -> Tensor:
    """`(P, H, W)` to `(P, scale * H, W)`."""
    planes, height, width = image.shape
    if height in phases.short:
        return phases.short[height] @ image
    taps, scale, _ = phases.weights.shape
    head, tail = phases.head, phases.tail
    tall = image.new_empty(planes, scale * height, width)
    cells = planes * height - taps + 1
    target = tall.view(-1, width)[len(head) : len(head) + cells * scale].view(cells, scale, width)
    _rows_between(image.view(-1, width), target, phases)
    tall[:, : len(head)] = _edge(image[:, : taps - 1].mT, head).mT
    tall[:, scale * height - len(tail) :] = _edge(image[:, 1 - taps :].mT, tail).mT
    return tall


def _edge(pixels: Tensor, weights: Tensor) -> Tensor:
    """`(P, L, inputs)` to `(P, L, outputs)`; a single input has weight one and is only repeated."""
    return pixels if weights.shape[1] == 1 else pixels @ weights.T


def _polyphase(
    kernel: filters.Kernel, scale: int, device: torch.device, dtype: torch.dtype
) -> Callable[[Tensor], Tensor]:
    require(scale, dtype)
    phases = _phases(kernel, scale, device, dtype)
    edge = clamp if kernel.clamp else zero
    in_graph = both_axes(windows(partial(filters.matrix, kernel, scale), kernel.radius, edge, device, dtype))

    def upsample(low: Tensor) -> Tensor:
        if is_compiling():
            return in_graph(low)
        n, c, height, width = low.shape
        planes = low.contiguous().view(n * c, height, width)
        return _along_rows(_along_columns(planes, phases), phases).view(n, c, scale * height, scale * width)

    return upsample


@interpolator
def polyphase_bilinear(scale: int, device: torch.device, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """The pixels of `bilinear`, as linear blends of neighbours with fixed weights."""
    return _polyphase(filters.TRIANGLE, scale, device, dtype)


@interpolator
def polyphase_bicubic(scale: int, device: torch.device, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """The pixels of `bicubic` (a = -0.75, edge clamped), as sums of four taps with fixed weights."""
    return _polyphase(filters.TORCH_CUBIC, scale, device, dtype)


@interpolator
def polyphase_lanczos3(scale: int, device: torch.device, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """The pixels of `lanczos3` (edge renormalised), as sums of six taps with fixed weights."""
    return _polyphase(filters.LANCZOS[3], scale, device, dtype)
