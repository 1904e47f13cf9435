"""What the methods make of a picture: side by side, before and after, and where they err."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from upbench.bench.cells import PLAIN
from upbench.reports import panel
from upbench.reports.figures import Drawing, Drawn, linked, save
from upbench.reports.frame import Run
from upbench.reports.tables import headline

MAX_PICTURES = 22
SAME_LEVELS = 3  # outputs this close, in 8-bit levels, share a picture
Array = np.ndarray[Any, Any]


def section(run: Run, drawn: Drawn) -> str:
    """The pictures that were drawn."""
    found = [linked(FIGURES, name, drawn) for name in ("exercise", "pairs", "errors") if name in drawn]
    note = "Methods whose outputs differ by no more than three 8-bit levels share a picture."
    return "\n\n".join(["## Pictures", note, *found]) if found else ""


def pairs(run: Run, path: Path) -> bool:
    """The first image: original, what the methods got, and what each made of it, with the same zoomed crop."""
    if "high" not in run.samples:
        return False
    items = [("original", _picture(run.samples["high"])), ("low resolution", _picture(run.samples["low"]))]
    panel.draw(path, items + _distinct(run, "pairs"), title="Original, low resolution, and each upsampling")
    return True


def exercise(run: Run, path: Path) -> bool:
    """The article's exercise: a 32x32 image upsampled by four, before and after, for each method."""
    if "before" not in run.samples:
        return False
    before = _picture(run.samples["before"])
    title = f"Before ({before.shape[1]}x{before.shape[0]}) and after upsampling by four"
    panel.draw(path, [("before", before), *_distinct(run, "exercise")], title=title)
    return True


def errors(run: Run, path: Path) -> bool:
    """Absolute error of each upsampled image against the original, mean over the channels, one common scale."""
    outputs = _distinct(run, "pairs")
    if not outputs:
        return False
    high = _picture(run.samples["high"]).astype(int)
    maps = [(label, np.abs(image.astype(int) - high).mean(axis=2)) for label, image in outputs]
    top = float(np.percentile([error.max() for _, error in maps], 80))
    columns = min(panel.COLUMNS, len(maps))
    rows = math.ceil(len(maps) / columns)
    figure = Figure(figsize=(columns * 1.9 + 0.6, rows * 2.1), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, (label, error) in zip(axes.flat, maps, strict=False):
        shown = axis.imshow(error, cmap="magma", vmin=0, vmax=top, interpolation="nearest")
        axis.set_title(f"{label}\nmean {error.mean():.1f}", fontsize=7)
    figure.colorbar(shown, ax=axes, label="absolute error (8-bit levels)", shrink=0.7)
    save(figure, path, dpi=130)
    return True


def _picture(batch: Array) -> Array:
    """The first image of a batch `(N, C, H, W)` as `(H, W, C)`."""
    first: Array = batch[0].transpose(1, 2, 0)
    return first


def _distinct(run: Run, kind: str) -> list[tuple[str, Array]]:
    """A picture of each method's output, best PSNR first; methods with nearly the same output share one."""
    ranked = list(headline(run.quality, run.speed)["method"])
    shown: list[tuple[list[str], Array]] = []
    for method in ranked:
        batch = run.samples.get(f"{kind}/{method}")
        if batch is None:
            continue
        same = next((names for names, first in shown if np.abs(first.astype(int) - batch).max() <= SAME_LEVELS), None)
        if same is None:
            shown.append(([method], batch))
        else:
            same.append(method)
    return [(label(names), _picture(batch)) for names, batch in shown[:MAX_PICTURES]]


def label(names: list[str]) -> str:
    """A group's name: torch's plain one where it has one, and how many share it."""
    names = sorted(names, key=lambda name: name not in PLAIN)
    return names[0] if len(names) == 1 else f"{names[0]}\n(and {len(names) - 1} much the same)"


FIGURES: Mapping[str, Drawing] = {
    "pairs": Drawing("Original, low resolution, and each upsampling, with the same zoomed crop", pairs),
    "exercise": Drawing("A 32x32 image before and after upsampling by four", exercise),
    "errors": Drawing("Where each method errs", errors),
}
