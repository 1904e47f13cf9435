"""Random low-resolution inputs for conformance and for the clocks."""

import itertools
import math
from collections.abc import Iterator

import torch
from torch import Tensor

MEMORY_FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def random_images(
    shape: tuple[int, int, int, int],
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    memory_format: str = "contiguous",
    seed: int = 0,
) -> Tensor:
    """Uniform noise of the given `(N, C, H, W)` shape: [0, 1] for floats, 0..255 for uint8; same seed, same image."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
    images = values if dtype == torch.uint8 else (values.to(torch.float32) / 255).to(dtype)
    return images.to(device).contiguous(memory_format=MEMORY_FORMATS[memory_format])


def different_images(
    shape: tuple[int, int, int, int], dtype: str, device: str, memory_format: str, count: int
) -> tuple[Tensor, ...]:
    """`count` random images, each another: taken in turn, a remembered result cannot pass for a fast call."""
    return tuple(
        random_images(shape, dtype=getattr(torch, dtype), device=device, memory_format=memory_format, seed=seed)
        for seed in range(count)
    )


class Rotation:
    """Random images for a clock: each time around, every one of them has new content, so that nothing remembered fits.

    They lie in one piece of memory, a little apart, so that one small copy renews a few values of all.
    """

    SPAN = 64  # values that are renewed, at one of 61 places, by one of 1009 rows: only then a content could come back
    APART = 13 * 64  # bytes between two images: they start at different places of a page

    def __init__(
        self, shape: tuple[int, int, int, int], dtype: torch.dtype, device: str, memory_format: str, count: int
    ) -> None:
        """Make `count` of them."""
        size = math.prod(shape)
        stride = size + -size % 64 + self.APART // dtype.itemsize
        pool = torch.empty(count, stride, dtype=dtype, device=device)
        self.images = tuple(_view(row[:size], shape, memory_format) for row in pool)
        for seed, image in enumerate(self.images):
            image.copy_(random_images(shape, dtype=dtype, seed=seed))
        span = min(self.SPAN, size)
        bank = random_images((1, 1, 1009, span), dtype=dtype, device=device, seed=count)[0, 0]
        self._rows = itertools.cycle(bank.unbind())
        self._places = itertools.cycle(
            pool[:, start : start + span] for start in (place * (size - span) // 60 for place in range(61))
        )

    def __iter__(self) -> Iterator[Tensor]:
        """The images in turn, without end."""
        while True:
            yield from self.images
            next(self._places).copy_(next(self._rows))


def _view(row: Tensor, shape: tuple[int, int, int, int], memory_format: str) -> Tensor:
    n, c, h, w = shape
    return row.view(n, h, w, c).permute(0, 3, 1, 2) if memory_format == "channels_last" else row.view(shape)
