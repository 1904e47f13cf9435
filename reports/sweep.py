"""How time grows with the batch: from which size on a GPU is busy, and what an image costs then."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from upbench.bench.cells import COPY
from upbench.reports import cuda_row, tables
from upbench.reports.figures import Drawing, Drawn, linked, save
from upbench.reports.frame import Run

FORMATS = {"us an image, smallest batch": ".4g", "us an image, largest batch": ".4g"}
AXES = ["image", "method", "scale", "device", "dtype", "memory_format", "mode", "step", "threads"]
MOST_LINES = 10


def _with_batch(sweep: pd.DataFrame) -> pd.DataFrame:
    shapes = sweep["shape"]
    return sweep.assign(batch=[shape[0] for shape in shapes], image=["x".join(map(str, s[1:])) for s in shapes])


def device_bound_from(rows: pd.DataFrame) -> int | None:
    """The smallest batch from which on every measured batch is device-bound; None where the largest is not."""
    found = None
    for _, row in rows.sort_values("batch", ascending=False).iterrows():
        if row["bound"] != cuda_row.DEVICE:
            break
        found = int(row["batch"])
    return found


def section(run: Run, drawn: Drawn) -> str:
    """The report's section; empty where no sweep was measured."""
    if run.sweep.empty:
        return ""
    note = "Each method on batches of the same images; where time grows as the batch does, the device is busy."
    figure = linked(FIGURES, "scaling", drawn)
    return f"## Scaling with the batch\n\n{note}\n\n{figure}\n\n{tables.markdown(table(run.sweep), FORMATS)}"


def table(sweep: pd.DataFrame) -> pd.DataFrame:
    """One row a method and image size: what an image costs in the smallest and the largest batch."""
    rows = []
    for axes, cells in _with_batch(sweep).groupby(AXES, sort=False):
        cells = cells.sort_values("batch")
        per_image = cells["seconds"] / cells["batch"] * 1e6
        row: dict[str, Any] = dict(zip(AXES, axes, strict=True)) | {
            "batches": f"{cells['batch'].iloc[0]} to {cells['batch'].iloc[-1]}",
            "us an image, smallest batch": per_image.iloc[0],
            "us an image, largest batch": per_image.iloc[-1],
        }
        if "bound" in cells:
            start = device_bound_from(cells)
            row["device-bound"] = "at none of these" if start is None else f"from {start}"
        rows.append(row)
    out = pd.DataFrame(rows)
    return out.drop(columns=[axis for axis in AXES[2:] if out[axis].nunique() == 1])


def draw(run: Run, path: Path) -> bool:
    """Time against batch size, a panel for each image size, both axes logarithmic, the copy of the output in black."""
    if run.sweep.empty:
        return False
    panels = list(_with_batch(run.sweep).groupby("image", sort=False))
    figure = Figure(figsize=(5.5 * len(panels), 4.5), layout="constrained")
    for axis, (image, cells) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        _panel(axis, cells)
        axis.set(xscale="log", yscale="log", xlabel="batch size", ylabel="milliseconds", title=f"images of {image}")
        axis.grid(alpha=0.3)
        axis.legend(fontsize=7)
    save(figure, path, dpi=120)
    return True


def _panel(axis: Any, cells: pd.DataFrame) -> None:
    first = cells.iloc[0]
    same = (cells[AXES[2:]] == first[AXES[2:]]).all(axis=1)
    lines = list(cells[same].groupby("method", sort=False))[: MOST_LINES + 1]
    colours = iter(mpl.color_sequences["tab10"])
    for method, rows in lines:
        rows = rows.sort_values("batch")
        colour = "black" if method == COPY else next(colours)
        axis.plot(rows["batch"], rows["seconds"] * 1e3, "o-", color=colour, label=method, linewidth=1, markersize=4)


FIGURES: Mapping[str, Drawing] = {"scaling": Drawing("Time against batch size", draw)}
