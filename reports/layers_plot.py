"""Layers inside a network, drawn: above, PSNR against inference time; below, how they learn. A column a task."""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from upbench.bench.layers import statistics
from upbench.bench.layers.contract import REFERENCE
from upbench.reports import places, theme
from upbench.reports.layers_tables import usual
from upbench.reports.theme import MARKERS, Theme

MARGIN, GAP, NAMES = 0.62, 0.3, 1.6  # inches: left of a panel, between rows, right of a panel's curves
TOP, TALL = 0.62, 2.7  # inches
DASHES = ("-", (0, (5, 2)), (0, (1, 1)), (0, (6, 2, 1, 2)))


def family(layer: str) -> str:
    """Which colour and marker a layer has: that of the methods it is made of."""
    if layer.startswith(("transposed", "pixel-shuffle")):
        return "convolution"
    if layer.startswith(("polyphase", "additive")):
        return "upbench"
    if layer.startswith(("nearest", "bilinear", "bicubic")):
        return "torch"
    return "learned" if layer.startswith(("carafe", "dysample")) else "yours"


def draw(rows: pd.DataFrame, curves: pd.DataFrame, colours: Theme) -> Figure:
    """The figure; `rows` are those of `layers.csv`, `curves` those of `layers-curves.csv`."""
    summary = statistics.summary(rows)
    tasks = list(dict.fromkeys(summary["task"]))
    figure = theme.figure(2 * (TOP + TALL) + GAP)
    width = theme.WIDTH / len(tasks)
    for number, task in enumerate(tasks):
        left = number * width + MARGIN
        points = theme.axes(figure, left, TOP, width - MARGIN - 0.15, TALL)
        _points(points, usual(summary[summary["task"] == task]), colours)
        points.set_title(f"{str(task).capitalize()}: up and left is better", pad=8)
        learning = theme.axes(figure, left, 2 * TOP + TALL + GAP, width - MARGIN - NAMES, TALL - 0.45)
        _curves(learning, counted(curves, rows, str(task)), colours)
    theme.legend(figure, colours, {family(str(layer)) for layer in summary["layer"]})
    return figure


def _points(axis: Any, here: pd.DataFrame, colours: Theme) -> None:
    """The tables' own setting: a mark a layer with its intervals over seeds, its name beside it."""
    for row in here.to_dict("records"):
        kind = family(row["layer"])
        style = {"color": colours.families[kind], "linewidth": 1.4, "alpha": 0.55, "zorder": 2}
        axis.plot([row["infer_ratio"]] * 2, [row["psnr_low_db"], row["psnr_high_db"]], **style)
        axis.plot([row["infer_ratio_low"], row["infer_ratio_high"]], [row["psnr_db"]] * 2, **style)
        edge = {"edgecolors": colours.page, "linewidths": 0.6, "zorder": 4}
        axis.scatter(row["infer_ratio"], row["psnr_db"], 52, marker=MARKERS[kind], color=colours.families[kind], **edge)
    for limits, values in ((axis.set_ylim, here["psnr_db"]), (axis.set_xlim, here["infer_ratio"])):
        room = 0.3 * (values.max() - values.min()) + 0.01  # an interval may leave the panel
        limits(values.min() - room, values.max() + room)
    axis.set_xlabel(f"inference time over {REFERENCE}'s; bars: 95 % over seeds")
    axis.set_ylabel("PSNR (dB)")
    axis.grid()
    _name(axis, here, colours)


def _name(axis: Any, here: pd.DataFrame, colours: Theme) -> None:
    """Each layer's name where it covers neither a mark nor another name."""
    points = axis.transData.transform(here[["infer_ratio", "psnr_db"]].to_numpy())
    style = {"fontsize": theme.SMALL, "va": "bottom", "ha": "left", "zorder": 6}
    texts = [axis.text(0, 0, name, color=colours.families[family(name)], **style) for name in here["layer"]]
    sizes = [text.get_window_extent() for text in texts]
    labels = [places.Label(x, y, size.width, size.height) for (x, y), size in zip(points, sizes, strict=True)]
    bounds = axis.get_window_extent()
    marks = [(x - 6, y - 6, x + 6, y + 6) for x, y in points]
    inside = (bounds.x0 + 2, bounds.y0 + 2, bounds.x1 - 2, bounds.y1 - 2)
    boxes = places.place(labels, marks, inside, _bars(axis, here))
    inverse = axis.transData.inverted()
    for text, box, label in zip(texts, boxes, labels, strict=True):
        text.set_position(inverse.transform((box[0], box[1])))
        end = places.nearest(box, label.x, label.y)
        if math.dist(end, (label.x, label.y)) > 12:
            line = inverse.transform([end, (label.x, label.y)])
            axis.plot(line[:, 0], line[:, 1], color=colours.muted, linewidth=0.7, zorder=1)


def _bars(axis: Any, here: pd.DataFrame) -> list[places.Box]:
    """The intervals as thin boxes, in pixels."""
    low = axis.transData.transform(here[["infer_ratio_low", "psnr_low_db"]].to_numpy())
    middle = axis.transData.transform(here[["infer_ratio", "psnr_db"]].to_numpy())
    high = axis.transData.transform(here[["infer_ratio_high", "psnr_high_db"]].to_numpy())
    ends = [(*one, *mid, *other) for one, mid, other in zip(low, middle, high, strict=True)]
    wide = [(x0, y - 2, x1, y + 2) for x0, _, _, y, x1, _ in ends]
    tall = [(x - 2, y0, x + 2, y1) for _, y0, x, _, _, y1 in ends]
    return [box for box in (*wide, *tall) if all(map(math.isfinite, box))]


def counted(curves: pd.DataFrame, rows: pd.DataFrame, task: str) -> pd.DataFrame:
    """The curves of the trainings that count, of one task in the tables' own setting."""
    if curves.empty:
        return curves
    keys = ["layer", "task", "fairness", "initialisation", "rate", "seed"]
    own = rows.iloc[0]
    same = (rows[["fairness", "initialisation", "rate"]] == own[["fairness", "initialisation", "rate"]]).all(axis=1)
    kept = statistics.usable(rows[same & (rows["task"] == task)])
    return curves.merge(kept[keys], on=keys)


def _curves(axis: Any, curves: pd.DataFrame, colours: Theme) -> None:
    """The mean over seeds on the test images, a line a layer, its name at the line's end."""
    styles: dict[str, int] = {}
    ends: list[tuple[float, str]] = []
    last = 0.0
    for layer, part in curves.groupby("layer", sort=False) if len(curves) else ():
        mean = part.groupby("step")["psnr_db"].mean()
        kind = family(str(layer))
        number = styles[kind] = styles.get(kind, -1) + 1
        dash = DASHES[number % len(DASHES)]
        axis.plot(mean.index, mean, color=colours.families[kind], linestyle=dash, linewidth=1.4)
        ends.append((float(mean.iloc[-1]), str(layer)))
        last = max(last, float(mean.index[-1]))
    axis.set_xlabel("training step")
    axis.set_ylabel("PSNR (dB) on 50 test images")
    axis.grid(axis="y")
    if ends:
        axis.set_xlim(right=last)
        settled = curves[curves["step"] >= last / 10].groupby(["layer", "step"])["psnr_db"].mean()
        axis.set_ylim(bottom=settled.min())  # the first steps would press the rest together
        _ends(axis, sorted(ends), last, colours)


def _ends(axis: Any, ends: Sequence[tuple[float, str]], last: float, colours: Theme) -> None:
    low, high = axis.get_ylim()
    spread = places.apart([value for value, _ in ends], (high - low) / 13, low, high)
    reach = last * 1.04 - axis.get_xlim()[0] * 0.04
    for (value, layer), place in zip(ends, spread, strict=True):
        axis.annotate(
            layer,
            (last, value),
            (reach, place),
            va="center",
            fontsize=theme.SMALL,
            color=colours.families[family(layer)],
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colours.rule, "linewidth": 0.7, "shrinkA": 1, "shrinkB": 0}
            | {"relpos": (0, 0.5)},
        )
