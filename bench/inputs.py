"""Random low-resolution inputs for conformance and for the clocks."""

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
