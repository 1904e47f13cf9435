"""What the networks are trained and tested on: one file of uint8 arrays that every worker reads."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from upbench.datasets.catalogue import open_dataset
from upbench.datasets.pairs import degrade
from upbench.datasets.source import Dataset

DEGRADATION = "bicubic"
MOST = {"train": 10_000, "test": 500}  # images
PHOTOS_TRAINED_ON = 0.8  # of the embedded photos, where there is nothing else


def write(path: Path, dataset: str, data: Path | None, say: Callable[[str], None]) -> str:
    """Write high- and low-resolution images of both splits; a sentence says what they are. Raises `DataError`."""
    test = open_dataset(dataset, split="test", data=data, say=say)
    if test.name == "photos":
        images = _images(test)
        cut = round(PHOTOS_TRAINED_ON * len(images))
        parts = {"train": images[:cut], "test": images[cut:]}
        about = f"{test.description}, the first {cut:,} for training, the others for testing"
    else:
        train = open_dataset("cifar10", split="train", data=data, say=say)
        parts = {"train": _images(train), "test": _images(test)}
        about = f"training: {train.description}; test: {test.description}"
    parts = {split: images[: MOST[split]] for split, images in parts.items()}
    arrays = {f"{split}_high": images.numpy() for split, images in parts.items()}
    arrays |= {f"{split}_low": degrade(images, DEGRADATION, 2).numpy() for split, images in parts.items()}
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return f"{about}; used {len(parts['train']):,} and {len(parts['test']):,}"


def _images(dataset: Dataset) -> Tensor:
    return torch.cat([batch.images for batch in dataset.batches()])
