"""From what the user asked for (`auto`, `cifar10`, `photos`, `folder:DIR`, `array:FILE.npy`) to a dataset."""

import os
from collections.abc import Callable
from pathlib import Path

from upbench.datasets import cifar10, photos
from upbench.datasets.array import open_array
from upbench.datasets.errors import DataError
from upbench.datasets.folder import open_folder
from upbench.datasets.source import Dataset, from_tensor


def open_dataset(
    name: str,
    *,
    split: str = "test",
    data: Path | None = None,
    limit: int | None = None,
    say: Callable[[str], None] = lambda sentence: None,
) -> Dataset:
    """Open a dataset. `say` is told, in plain sentences, what was looked for and not found.

    `auto` takes CIFAR-10 from `data`, `$UPBENCH_DATA`, the user cache or a download, in this order, and at last
    the embedded photos; a place that was named and holds no CIFAR-10 is an error. Raises `DataError`.
    """
    if split not in cifar10.FILES:
        raise DataError(f"There is no split {split!r}; choose train or test.")
    if name == "photos":
        return _photos(split, limit)
    if name.startswith("folder:"):
        if split != "test":
            raise DataError(f"A folder has a test split only, not {split!r}.")
        return open_folder(Path(name.removeprefix("folder:")).expanduser(), limit)
    if name == "cifar10":
        return _cifar10(_cifar10_directory(data, split), split, limit)
    if name.startswith("array:"):
        if split != "test":
            raise DataError(f"An array has a test split only, not {split!r}.")
        return open_array(Path(name.removeprefix("array:")).expanduser(), limit)
    if name != "auto":
        raise DataError(f"There is no dataset {name!r}; choose auto, cifar10, photos, folder:DIR or array:FILE.npy.")
    try:
        return _cifar10(_cifar10_directory(data, split), split, limit)
    except DataError as error:
        if data is not None or os.environ.get("UPBENCH_DATA") or split != "test":
            raise
        say(f"{error} Using the embedded photos instead.")
        return _photos(split, limit)


def _photos(split: str, limit: int | None) -> Dataset:
    images, description = photos.load(split)
    return from_tensor(images, name="photos", split=split, description=description, limit=limit)


def _cifar10(directory: Path, split: str, limit: int | None) -> Dataset:
    images, description = cifar10.load(directory, split)
    return from_tensor(images, name="cifar10", split=split, description=description, limit=limit)


def _cifar10_directory(data: Path | None, split: str) -> Path:
    """The folder to read CIFAR-10 from, downloading it as a last resort."""
    named = data or (Path(os.environ["UPBENCH_DATA"]) if os.environ.get("UPBENCH_DATA") else None)
    if named is not None:
        if not named.is_dir():
            raise DataError(f"There is no folder {named}.")
        return named
    cache = cifar10.cache_directory()
    if not cifar10.find(cache, split):
        cifar10.download(cache)
    return cache
