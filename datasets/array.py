"""The caller's own images as one NumPy file, read a batch at a time: `array:FILE.npy`."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from upbench.datasets.errors import DataError
from upbench.datasets.source import Batch, Dataset

BATCH_PIXELS = 128 * 32 * 32

Array = np.ndarray[Any, np.dtype[Any]]


def open_array(file: Path, limit: int | None = None) -> Dataset:
    """A dataset of the images in a `.npy` file: uint8, or floating point in [0, 1], which is rounded to 8 bits.

    `(N, 3, H, W)`, `(N, H, W, 3)`, or `(N, H, W)` in grey, which becomes three equal channels. The file is mapped, not
    loaded, and nothing in it is unpickled. Raises `DataError` when it is missing, damaged, or holds anything else.
    """
    whole = _mapped(file)
    axes = _axes(file, whole)
    kept = whole[:limit]
    height, width = kept.shape[2:] if axes == "(N, 3, H, W)" else kept.shape[1:3]
    step = max(1, BATCH_PIXELS // (height * width))
    if kept.dtype != np.uint8:
        for start in range(0, len(kept), step):
            _check_range(file, kept[start : start + step], start)

    def read(start: int, stop: int) -> Batch:
        return Batch(
            ids=[str(i) for i in range(start, stop)], images=torch.from_numpy(_eight_bit(kept[start:stop], axes))
        )

    return Dataset(
        name="array",
        split="test",
        description=f"{len(kept):,} images of {width}x{height} from {file.name} ({whole.dtype} of shape {whole.shape},"
        f" read as {axes}){_kept(whole, limit)}",
        size=len(kept),
        _read=read,
        _largest_batch=step,
    )


def _mapped(file: Path) -> Array:
    if not file.is_file():
        raise DataError(f"There is no file {file}.")
    try:
        found = np.load(file, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # a damaged header can raise anything
        raise DataError(
            f"{file} cannot be read as a NumPy array; write it with numpy.save, without objects in it."
        ) from error
    if not isinstance(found, np.ndarray):
        found.close()
        raise DataError(f"{file} holds several arrays; write the one to be used with numpy.save.")
    return found


def _axes(file: Path, array: Array) -> str:
    """What the axes mean; raises `DataError` for values or shapes that are no images."""
    if array.dtype != np.uint8 and array.dtype.kind != "f":
        raise DataError(f"{file} holds values of {array.dtype}; give uint8, or floating point in [0, 1].")
    if array.size:
        if array.ndim == 4 and array.shape[1] == 3:
            return "(N, 3, H, W)"
        if array.ndim == 4 and array.shape[3] == 3:
            return "(N, H, W, 3)"
        if array.ndim == 3:
            return "(N, H, W)"
    raise DataError(f"{file} has the shape {array.shape}; give (N, 3, H, W), (N, H, W, 3), or (N, H, W) in grey.")


def _check_range(file: Path, images: Array, start: int) -> None:
    flat = images.reshape(len(images), -1)
    wrong = ~((flat >= 0) & (flat <= 1)).all(axis=1)  # NaN is wrong too
    if wrong.any():
        raise DataError(
            f"{file} has values outside [0, 1] in image {start + int(wrong.argmax())}; scale them, or save it as uint8."
        )


def _eight_bit(images: Array, axes: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A copy of mapped images as uint8 `(N, 3, H, W)`."""
    levels = images if images.dtype == np.uint8 else np.rint(images.astype(np.float64) * 255).astype(np.uint8)
    if axes == "(N, H, W)":
        levels = np.repeat(levels[:, None], 3, axis=1)
    elif axes == "(N, H, W, 3)":
        levels = np.moveaxis(levels, 3, 1)
    return np.array(levels, order="C", subok=False)


def _kept(whole: Array, limit: int | None) -> str:
    return f", first {limit:,} only" if limit is not None and limit < len(whole) else ""
