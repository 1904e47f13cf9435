"""Labelled side-by-sides: each picture whole, and the same zoomed crop of each below it."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

Image = np.ndarray[Any, Any]

TILE_INCHES = 1.9
COLUMNS = 6


def draw(path: Path, items: Sequence[tuple[str, Image]], *, title: str = "") -> None:
    """Write a PNG of labelled images `(H, W)`, `(H, W, 3)` or `(H, W, 4)`, uint8, each with a zoomed crop.

    The crop covers the same part of every image (the middle 3/8 of each side), whatever its resolution; pixels are
    drawn as squares.
    """
    columns = min(COLUMNS, len(items))
    rows = math.ceil(len(items) / columns)
    figure = Figure(figsize=(columns * TILE_INCHES, rows * TILE_INCHES * 2.15 + 0.4), layout="constrained")
    axes = figure.subplots(rows * 2, columns, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for index, (label, image) in enumerate(items):
        row, column = divmod(index, columns)
        top, left, height, width = _middle(image)
        whole, zoomed = axes[2 * row][column], axes[2 * row + 1][column]
        _show(whole, image)
        whole.add_patch(_frame(left, top, width, height))
        whole.set_title(label, fontsize=8)
        _show(zoomed, image[top : top + height, left : left + width])
    if title:
        figure.suptitle(title, fontsize=10)
    figure.savefig(path, dpi=150)


def _middle(image: Image) -> tuple[int, int, int, int]:
    """Top, left, height and width of the crop, on sixteenths so that low and high resolution show the same part."""
    h, w = image.shape[:2]
    height, width = max(1, round(h * 6 / 16)), max(1, round(w * 6 / 16))
    return round(h * 5 / 16), round(w * 5 / 16), height, width


def _frame(left: int, top: int, width: int, height: int) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((left - 0.5, top - 0.5), width, height, fill=False, edgecolor="red", linewidth=1)


def _show(axis: Any, image: Image) -> None:
    grey = {"cmap": "gray", "vmin": 0, "vmax": 255} if image.ndim == 2 else {}
    axis.imshow(image, interpolation="nearest", **grey)
