"""The embedded photos: enough of them, all different, the same everywhere."""

import hashlib

import pytest
import torch

from upbench.datasets import photos
from upbench.datasets.errors import DataError

DIGEST = "43a37dffef7a3b8770b7732ec88ef56efc41b24c2d499decf15ea8cc6adb4cdd"


def test_there_are_at_least_a_thousand_distinct_tiles_of_32x32() -> None:
    images, description = photos.load("test")
    assert images.shape[1:] == (3, 32, 32)
    assert images.dtype == torch.uint8
    assert len(images) >= 1000
    assert len({image.numpy().tobytes() for image in images}) == len(images)
    assert f"{len(images):,} tiles" in description


def test_the_tiles_are_the_same_on_every_machine() -> None:
    images, _ = photos.load("test")
    assert hashlib.sha256(images.numpy().tobytes()).hexdigest() == DIGEST


def test_the_tiles_are_photographs_not_flat_and_not_grey() -> None:
    images = photos.load("test")[0].float()
    assert (images.std(dim=(1, 2, 3)) > 2).float().mean() > 0.9
    assert (images[:, 0] - images[:, 2]).abs().mean() > 5


def test_a_tile_holds_the_photographs_own_pixels() -> None:
    whole = photos.photograph(photos.PHOTOGRAPHS[0])
    assert torch.equal(photos.load("test")[0][0], whole[:, :32, :32])


def test_nothing_may_be_trained_on_them() -> None:
    with pytest.raises(DataError, match="test split only"):
        photos.load("train")
