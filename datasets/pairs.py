"""Degradation: from a high-resolution image to the low-resolution one that the methods are given.

Every low-resolution image is quantised to 8 bit, as a file would be.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from upbench.datasets.errors import DataError
from upbench.datasets.source import Dataset


def bicubic(high: Tensor, scale: int) -> Tensor:
    """Antialiased bicubic, Keys a = -0.5 (what Pillow and MATLAB do), clamped and rounded."""
    size = (high.shape[-2] // scale, high.shape[-1] // scale)
    low = F.interpolate(high.to(torch.float32) / 255, size=size, mode="bicubic", antialias=True)
    return _to_uint8(low)


def area(high: Tensor, scale: int) -> Tensor:
    """Mean of each scale x scale square, in integers, halves rounded up: no tie depends on a float's last bit."""
    n, c, h, w = high.shape
    squares = high.reshape(n, c, h // scale, scale, w // scale, scale)
    total = squares.sum(dim=(3, 5), dtype=torch.int32)
    return torch.div(2 * total + scale**2, 2 * scale**2, rounding_mode="floor").to(torch.uint8)


def nearest(high: Tensor, scale: int) -> Tensor:
    """Plain decimation `x[::scale]` (phase 0): the low image is shifted by (scale - 1) / 2 high pixels."""
    return high[..., ::scale, ::scale].contiguous()


def nearest_exact(high: Tensor, scale: int) -> Tensor:
    """Decimation of the pixel nearest the centre, `x[scale // 2::scale]`: shifted by half a pixel at even scales."""
    return high[..., scale // 2 :: scale, scale // 2 :: scale].contiguous()


def gaussian(high: Tensor, scale: int) -> Tensor:
    """Gaussian blur of standard deviation scale / 2, sampled at the low pixels' centres (no shift), edge clamped.

    The kernel is evaluated at the distances from each low pixel's centre, reaches 4 standard deviations, and is
    normalised.
    """
    sigma, reach = scale / 2, 2 * scale
    offsets = torch.arange(-reach, scale + reach, dtype=torch.float32) - (scale - 1) / 2
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel = (kernel / kernel.sum()).to(high.device)
    n, c, h, w = high.shape
    padded = F.pad(high.to(torch.float32) / 255, (reach,) * 4, mode="replicate")
    rows = F.conv2d(padded.reshape(n * c, 1, *padded.shape[-2:]), kernel.reshape(1, 1, -1, 1), stride=(scale, 1))
    both = F.conv2d(rows, kernel.reshape(1, 1, 1, -1), stride=(1, scale))
    return _to_uint8(both.reshape(n, c, h // scale, w // scale))


DEGRADATIONS: dict[str, Callable[[Tensor, int], Tensor]] = {
    "bicubic": bicubic,
    "area": area,
    "nearest": nearest,
    "nearest-exact": nearest_exact,
    "gaussian": gaussian,
}

# How far the low-resolution image is shifted against the high one, in high-resolution pixels.
SHIFT_PIXELS: dict[str, Callable[[int], float]] = {
    "nearest": lambda scale: (scale - 1) / 2,
    "nearest-exact": lambda scale: (scale - 1) / 2 - scale // 2,
}


def degrade(high: Tensor, degradation: str, scale: int) -> Tensor:
    """The low-resolution images `(N, 3, H/scale, W/scale)`, uint8, of uint8 `(N, 3, H, W)` images.

    Raises `DataError` for an unknown degradation or a scale that does not divide the image.
    """
    if degradation not in DEGRADATIONS:
        raise DataError(f"There is no degradation {degradation!r}; choose from {', '.join(DEGRADATIONS)}.")
    h, w = high.shape[-2:]
    if h % scale or w % scale or min(h, w) < scale:
        raise DataError(f"scale {scale} does not divide a {w}x{h} image")
    return DEGRADATIONS[degradation](high, scale)


def crop_to_multiple(high: Tensor, scale: int) -> Tensor:
    """Drop rightmost columns and bottom rows so that the scale divides both sides."""
    h, w = high.shape[-2:]
    return high[..., : h - h % scale, : w - w % scale]


def _to_uint8(images: Tensor) -> Tensor:
    return (images.clamp(0, 1) * 255).round().to(torch.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """High-resolution images and their degraded versions: uint8 `(N, 3, H, W)` and `(N, 3, H/scale, W/scale)`."""

    ids: list[str]
    high: Tensor
    low: Tensor


def make_pairs(dataset: Dataset, degradation: str, scale: int) -> Iterator[Pair]:
    """All pairs of a dataset, a batch at a time.

    Raises `DataError` when the scale does not divide the images (a folder's are cropped to fit first).
    """
    for batch in dataset.batches():
        high = crop_to_multiple(batch.images, scale) if dataset.crops else batch.images
        yield Pair(ids=batch.ids, high=high, low=degrade(high, degradation, scale))
