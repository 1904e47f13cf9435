"""Embedded photos: 32x32 tiles cut from the colour photographs that scikit-image's wheel ships.

They need no network, and every installation has the same ones. Tiles keep the photographs' own pixels; a tile
that occurs twice is kept once. They are smoother than CIFAR-10's images, so absolute figures differ.
"""

import skimage.data
import torch
from torch import Tensor

from upbench.datasets.errors import DataError

TILE = 32
PHOTOGRAPHS = ("astronaut", "coffee", "chelsea", "rocket", "stereo_motorcycle")


def load(split: str) -> tuple[Tensor, str]:
    """All tiles (uint8, `(N, 3, 32, 32)`, RGB), photograph by photograph, row by row, and what they are.

    Raises `DataError` for a split other than `test`: nothing may be trained on these.
    """
    if split != "test":
        raise DataError(f"The embedded photos have a test split only, not {split!r}.")
    tiles = torch.cat([_tiles(name) for name in PHOTOGRAPHS])
    distinct = dict.fromkeys(tile.numpy().tobytes() for tile in tiles)
    flat = torch.frombuffer(bytearray(b"".join(distinct)), dtype=torch.uint8)
    images = flat.reshape(-1, 3, TILE, TILE)
    return images, (
        f"embedded photos ({len(images):,} tiles of 32x32 cut from {len(PHOTOGRAPHS)} photographs that"
        " scikit-image ships; not CIFAR-10)"
    )


def photograph(name: str) -> Tensor:
    """One whole photograph, uint8 `(3, H, W)`."""
    pixels = getattr(skimage.data, name)()
    left = pixels[0] if isinstance(pixels, tuple) else pixels
    return torch.from_numpy(left.copy()).permute(2, 0, 1)


def _tiles(name: str) -> Tensor:
    whole = photograph(name).unfold(1, TILE, TILE).unfold(2, TILE, TILE)
    return whole.permute(1, 2, 0, 3, 4).reshape(-1, 3, TILE, TILE)
