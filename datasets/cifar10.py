"""CIFAR-10 in its two official layouts, any number of records, and its download.

A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009. The *binary version* holds records of
one label byte and 3,072 pixel bytes (1,024 red, 1,024 green, 1,024 blue, row-major); the *python version* holds
pickled dictionaries with the same pixels in rows. Labels are not used.
"""

import hashlib
import os
import pickle
import socket
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from upbench.datasets.errors import DataError, said

RECORD = 1 + 3072
OFFICIAL_IMAGES = {"train": 50_000, "test": 10_000}
CONNECT_SECONDS = 5.0
FILES = {"train": [f"data_batch_{i}" for i in range(1, 6)], "test": ["test_batch"]}

# Subsets that went round with a published checksum (SHA-256 of the file) and what their images are.
KNOWN_SAMPLES = {
    "ea25e1f01851da5455ca82f9e2d91fc561863f74916aeaf27fb02652156d2cda": "1,000 images of data_batch_1",
    "4665a41200408fa422ad30d53f1a4de0f936fc359f455f1811c3eea23d795e91": "3,000 images of data_batch_1",
}

# MD5 of the official python files, as torchvision has them.
OFFICIAL_MD5 = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}


def load(directory: Path, split: str) -> tuple[Tensor, str]:
    """Read a split; returns the images (uint8, `(N, 3, 32, 32)`, RGB) and a sentence that says what they are.

    `directory` is the folder of the batches or the one above it. Raises `DataError` when there is none, or
    when a file is damaged.
    """
    paths = find(directory, split)
    if not paths:
        raise DataError(
            f"{directory} holds no CIFAR-10 {split} split: expected cifar-10-batches-bin/{FILES[split][0]}.bin"
            f" or cifar-10-batches-py/{FILES[split][0]}."
        )
    images = np.concatenate([_read_binary(path) if path.suffix else _read_pickle(path) for path in paths])
    return torch.from_numpy(images), describe(paths, split, len(images))


def find(directory: Path, split: str) -> list[Path]:
    """The files of a split, in either layout; empty when there is none. Raises `DataError` for a bad split."""
    if split not in FILES:
        raise DataError(f"CIFAR-10 has no split {split!r}; choose train or test.")
    for folder in (directory, directory / "cifar-10-batches-bin", directory / "cifar-10-batches-py"):
        for suffix in (".bin", ""):
            found = [folder / f"{name}{suffix}" for name in FILES[split]]
            present = [path for path in found if path.is_file()]
            if present:
                return present
    return []


def describe(paths: list[Path], split: str, images: int) -> str:
    """Say what was read: the official split, a known sample, or a sample of unknown origin.

    Python files of the official split whose bytes are not the published ones are told from it.
    """
    if images == OFFICIAL_IMAGES[split]:
        foreign = [path.name for path in paths if not path.suffix and _md5(path) != OFFICIAL_MD5[path.name]]
        doubt = f"; {', '.join(foreign)}: not the published checksum" if foreign else ""
        return f"CIFAR-10 {split} split ({images:,} images{doubt})"
    known = len(paths) == 1 and KNOWN_SAMPLES.get(hashlib.sha256(paths[0].read_bytes()).hexdigest())
    return f"CIFAR-10 sample ({known or f'{images:,} images, not the official {split} split'})"


def _md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def _read_binary(path: Path) -> np.ndarray[Any, np.dtype[np.uint8]]:
    data = np.fromfile(path, dtype=np.uint8)
    if data.size == 0:
        raise DataError(f"{path} is empty; fetch it again.")
    if data.size % RECORD:
        raise DataError(
            f"{path} is damaged or truncated: {data.size:,} bytes is no multiple of a record's {RECORD:,};"
            " fetch it again."
        )
    records = data.reshape(-1, RECORD)
    if records[:, 0].max() > 9:
        raise DataError(f"{path} is no CIFAR-10 file: it has a label above 9.")
    return records[:, 1:].reshape(-1, 3, 32, 32)


class _PlainUnpickler(pickle._Unpickler):
    """Unpickles the official dictionaries of arrays and nothing that could run code.

    It is Python's own unpickler in Python: the one in C takes 64 GB at a single wrong byte (`LONG_BINPUT`).
    """

    def find_class(self, module: str, name: str) -> Any:
        allowed = {
            "_reconstruct": np.array([]).__reduce__()[0],
            "_frombuffer": np.array([]).__reduce_ex__(5)[0],
            "ndarray": np.ndarray,
            "dtype": _plain_dtype,
        }
        if module.startswith("numpy") and name in allowed:
            return allowed[name]
        if (module, name) == ("_codecs", "encode"):
            return lambda text, encoding: text.encode(encoding)
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no CIFAR-10 file needs")


def _plain_dtype(name: Any, *_: Any) -> "np.dtype[Any]":
    """A number's own dtype, which no later instruction of a pickle can change."""
    found: np.dtype[Any] = np.dtype(name)
    if found.kind not in "biuf":
        raise pickle.UnpicklingError(f"it holds values of {found}, which no CIFAR-10 file does")
    return found


def _read_pickle(path: Path) -> np.ndarray[Any, np.dtype[np.uint8]]:
    try:
        with path.open("rb") as file:
            rows = np.asarray(_PlainUnpickler(file, encoding="bytes").load()[b"data"])
    except Exception as error:  # a damaged pickle can raise anything
        raise DataError(f"{path} is damaged or no CIFAR-10 python file ({said(error)}); fetch it again.") from error
    wrong = rows.ndim != 2 or rows.shape[1] != RECORD - 1 or not len(rows) or rows.dtype != np.uint8
    if wrong or rows.nbytes > path.stat().st_size:  # a pickle may ask for memory that it does not fill
        raise DataError(f"{path} is damaged: expected rows of 3,072 bytes, found {rows.dtype} {rows.shape}.")
    return rows.reshape(-1, 3, 32, 32)


def cache_directory() -> Path:
    """Where a download is kept: `$XDG_CACHE_HOME/upbench`, by default `~/.cache/upbench`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "upbench"


def download(directory: Path) -> None:
    """Fetch the official python version through torchvision (170 MB, checksums, progress bar).

    Raises `DataError` when it cannot be had.
    """
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(CONNECT_SECONDS)
    try:
        from torchvision.datasets import CIFAR10

        CIFAR10(root=str(directory), download=True)
    except Exception as error:  # no torchvision, no network, a wrong checksum: all mean no data
        raise DataError(
            f"CIFAR-10 could not be downloaded ({said(error)}); give its folder with --data DIR or UPBENCH_DATA."
        ) from error
    finally:
        socket.setdefaulttimeout(before)
