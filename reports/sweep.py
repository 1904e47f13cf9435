"""How time grows with the batch: from which size on a device is busy, and what an image costs then."""

from functools import partial
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from upbench.bench.cells import COPY
from upbench.reports import cuda_row, families, numbers, theme
from upbench.reports.report import Report
from upbench.reports.theme import MARKERS, Theme
from upbench.reports.words import Block, Picture, cell, code, fold, heading, paragraph, table

AXES = ["image", "method", "scale", "device", "dtype", "memory_format", "mode", "step", "threads"]
MOST_LINES = 10
MOST = 12


def with_batch(sweep: pd.DataFrame) -> pd.DataFrame:
    """The sweep with a column for the batch and one for the image's shape."""
    shapes = sweep["shape"]
    return sweep.assign(batch=[shape[0] for shape in shapes], image=["×".join(map(str, s[1:])) for s in shapes])


def device_bound_from(rows: pd.DataFrame) -> int | None:
    """The smallest batch from which on every measured batch is device-bound; None where the largest is not."""
    found = None
    for _, row in rows.sort_values("batch", ascending=False).iterrows():
        if row["bound"] != cuda_row.DEVICE:
            break
        found = int(row["batch"])
    return found


def section(report: Report) -> list[Block]:
    """The figure, and what an image costs in the smallest and the largest batch."""
    sweep = report.run.sweep
    if sweep.empty:
        return []
    cells = with_batch(sweep)
    note = "Each method on batches of the same images; where time grows as the batch does, the device is busy."
    names = ", ".join(dict.fromkeys(cells["method"].head(50)))
    alt = f"Time against batch size on log axes: {names}; dotted: the least time at the bandwidth of memory"
    titles, rows, style = _rows(cells)
    return [
        heading("Scaling with the batch"),
        paragraph(note),
        Picture("scaling", alt[:400], partial(_draw, cells, _light(report))),
        table(titles, rows[:MOST], style),
        *fold(f"{len(rows) - MOST} more rows", [table(titles, rows[MOST:], style)] if rows[MOST:] else []),
    ]


def _light(report: Report) -> float | None:
    """Seconds a byte at the bandwidth of a copy, where it was measured."""
    rates = report.run.bandwidth
    return None if rates.empty else 1 / float(rates[COPY].iloc[0])


def _rows(cells: pd.DataFrame) -> tuple[list[str], list[list[Any]], str]:
    varying = [axis for axis in AXES[2:] if cells[axis].nunique() > 1]
    bound = "bound" in cells
    titles = ["image", "method", *(axis.replace("_", " ") for axis in varying), "batches", "an image, smallest batch"]
    titles += ["an image, largest batch", *(["device-bound"] if bound else [])]
    rows: list[list[Any]] = []
    for axes, some in cells.groupby(AXES, sort=False):
        some = some.sort_values("batch")
        each = some["seconds"] / some["batch"]
        named = dict(zip(AXES, axes, strict=True))
        start = device_bound_from(some) if bound else None
        rows.append(
            [
                named["image"],
                code(named["method"]),
                *(str(named[axis]) for axis in varying),
                f"{some['batch'].iloc[0]} to {some['batch'].iloc[-1]}",
                cell(numbers.seconds(each.iloc[0]), each.iloc[0]),
                cell(numbers.seconds(each.iloc[-1]), each.iloc[-1]),
                *([f"from {start}" if start else "at none of these"] if bound else []),
            ]
        )
    return titles, rows, "ll" + "l" * len(varying) + "rrr" + "l"


def _draw(cells: pd.DataFrame, light: float | None, colours: Theme) -> Figure:
    """A panel an image size, both axes logarithmic."""
    panels = list(cells.groupby("image", sort=False))[:3]
    figure = theme.figure(4.0)
    width = (theme.WIDTH - 0.75 - 0.1 * len(panels)) / len(panels)
    for number, (image, some) in enumerate(panels):
        axis = theme.axes(figure, 0.7 + number * (width + 0.1), 0.72, width, 2.75)
        _panel(axis, some, light, colours)
        axis.set(xscale="log", yscale="log", xlabel="batch size")
        axis.set_title(f"images of {image}", pad=8)
        axis.yaxis.set_major_formatter(FuncFormatter(theme.duration))
        axis.grid(alpha=0.6)
    axes = figure.axes
    low, high = min(a.get_ylim()[0] for a in axes), max(a.get_ylim()[1] for a in axes)
    for axis in axes:
        axis.set_ylim(low, high)
        axis.label_outer()
    theme.legend(figure, colours, {families.of(name) for name in cells["method"] if name != COPY})
    return figure


def _panel(axis: Any, cells: pd.DataFrame, light: float | None, colours: Theme) -> None:
    first = cells.iloc[0]
    same = (cells[AXES[2:]] == first[AXES[2:]]).all(axis=1)
    lines = list(cells[same].groupby("method", sort=False))[: MOST_LINES + 1]
    ends = []
    for method, rows in lines:
        rows = rows.sort_values("batch")
        family = families.of(str(method))
        colour = colours.muted if method == COPY else colours.families[family]
        axis.plot(
            rows["batch"],
            rows["seconds"],
            color=colour,
            marker="" if method == COPY else MARKERS[family],
            linewidth=1.3,
            markersize=4,
        )
        ends.append((float(rows["seconds"].iloc[-1]), str(method), colour, float(rows["batch"].iloc[-1])))
    if light and cells["bytes"].notna().any():
        some = cells[same].drop_duplicates("batch").sort_values("batch")
        axis.plot(some["batch"], some["bytes"] * light, ":", color=colours.muted, linewidth=1.4)
        ends.append((float((some["bytes"] * light).iloc[-1]), "light", colours.muted, float(some["batch"].iloc[-1])))
    last = -1.0
    for place, (seconds, name, colour, batch) in enumerate(sorted(ends)):
        if seconds < 1.28 * last and place:
            continue
        last = seconds
        axis.annotate(
            name, (batch, seconds), (-3, 4), textcoords="offset points", ha="right", fontsize=theme.SMALL, color=colour
        )
