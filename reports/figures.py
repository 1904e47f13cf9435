"""The report's pictures, drawn from a `Run` and nothing else."""

import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from upbench.bench.cells import PLAIN
from upbench.reports import advice, gate, panel, sweep
from upbench.reports.frame import Run
from upbench.reports.tables import headline, main_speed

MAX_PICTURES = 22
MAX_LINES = 16
SAME_GAIN = 0.02
SAME_LEVELS = 3  # outputs this close, in 8-bit levels, share a picture
FAR_DB = 5  # so far below the middle, a method is named at the lower edge and not drawn to scale
Array = np.ndarray[Any, Any]


def draw_all(run: Run, folder: Path) -> dict[str, Path]:
    """Draw every figure that the run's files allow; returns name -> path."""
    folder.mkdir(parents=True, exist_ok=True)
    drawings: dict[str, Callable[[Run, Path], bool]] = {
        "quality-speed": scatter,
        "speed": bars,
        "pairs": pairs,
        "exercise": exercise,
        "errors": errors,
        "response": response,
        "scaling": lambda run, path: sweep.draw(run.sweep, path),
        "versions": lambda run, path: gate.forest(run.versions, path),
    }
    paths = {name: folder / f"{name}.png" for name in drawings}
    return {name: path for name, path in paths.items() if drawings[name](run, path)}


def scatter(run: Run, path: Path) -> bool:
    """PSNR against time, a panel for each workload; only methods that nothing beats in both are named."""
    names = list(dict.fromkeys(main_speed(run.speed)["workload"])) if len(run.speed) else []
    points = {name: advice.candidates(run.quality, run.speed, name) for name in names}
    points = {name: found for name, found in points.items() if len(found)}
    if not points:
        return False
    figure = Figure(figsize=(6 * len(points), 4.5), layout="constrained")
    axes = figure.subplots(1, len(points), squeeze=False)[0]
    fronts = []
    for axis, (name, found) in zip(axes, points.items(), strict=True):
        fronts.append(_scatter_one(axis, found.assign(ms=found["seconds"] * 1e3)))
        axis.set_title(f"{name}: up and left is better; the line joins what nothing beats", fontsize=9)
    figure.draw_without_rendering()  # only now do names have a place
    for axis, front in zip(axes, fronts, strict=True):
        _name(axis, front)
    figure.savefig(path, dpi=120)
    return True


def _scatter_one(axis: Any, points: pd.DataFrame) -> pd.DataFrame:
    """Draw all points; those that nothing beats are joined, and returned to be named."""
    front = advice.front(points)
    drawable = points[points["psnr_db"] >= points["psnr_db"].median() - FAR_DB]
    floor = drawable["psnr_db"].min() - 0.5
    near, far = points[points["psnr_db"] >= floor], points[points["psnr_db"] < floor]
    axis.scatter(near["ms"], near["psnr_db"], s=28, color="0.6")
    axis.plot(front["ms"], front["psnr_db"], "o-", color="tab:blue", markersize=6, linewidth=1)
    axis.set(xscale="log", xlabel="time (ms, log scale)", ylabel="PSNR (dB)")
    axis.margins(x=0.25, y=0.12)
    axis.set_ylim(bottom=floor - 0.2)
    for _, row in far.iterrows():
        axis.plot(row["ms"], floor, "v", color="tab:red", markersize=6)
        place = {"xytext": (7, -2), "textcoords": "offset points", "fontsize": 7, "color": "tab:red"}
        axis.annotate(f"{row['method']}, {row['psnr_db']:.1f} dB", (row["ms"], floor), **place)
    axis.grid(alpha=0.3)
    return front


def _name(axis: Any, points: pd.DataFrame) -> None:
    """Each point's method up and left of it, raised until it covers no earlier name; the figure is laid out."""
    taken: list[Bbox] = []
    for _, row in points.iterrows():
        place = {"xytext": (-7, 5), "textcoords": "offset points", "fontsize": 8, "ha": "right"}
        label = axis.annotate(row["method"], (row["ms"], row["psnr_db"]), **place)
        while any(label.get_window_extent().overlaps(box) for box in taken):
            label.xyann = (label.xyann[0], label.xyann[1] + 1)
        taken.append(label.get_window_extent())


def response(run: Run, path: Path) -> bool:
    """Gain against frequency, one line for each group of methods that share it, at the smallest scale."""
    if run.response.empty:
        return False
    smallest = run.response[run.response["scale"] == run.response["scale"].min()]
    wide = smallest.pivot_table(index="frequency", columns="method", values="gain")
    figure = Figure(figsize=(9, 5), layout="constrained")
    axis = figure.subplots()
    styles = itertools.product(("-", "--"), mpl.color_sequences["tab10"])
    for names, (line, colour) in zip(_same_columns(wide)[:MAX_LINES], styles, strict=False):
        label = _label(names).replace("\n", " ")
        axis.plot(wide.index, wide[names[0]], line, color=colour, linewidth=1.2, label=label)
    axis.axhline(1, color="black", linewidth=0.6)
    axis.set(
        xlabel="frequency (cycles per low-resolution pixel; 0.5 is the finest it can hold)",
        ylabel="gain",
        ylim=(0, 1.6),
        title=f"Frequency response, x{smallest['scale'].iloc[0]}: 1 keeps a detail as it is",
    )
    axis.grid(alpha=0.3)
    figure.legend(fontsize=7, loc="outside right upper")
    figure.savefig(path, dpi=120)
    return True


def _same_columns(wide: pd.DataFrame) -> list[list[str]]:
    """Methods whose gains differ by no more than `SAME_GAIN` anywhere, together, torch's plain names first."""
    together: list[list[str]] = []
    for name in sorted(wide, key=lambda name: (name not in PLAIN, name)):
        same = next((names for names in together if (wide[names[0]] - wide[name]).abs().max() <= SAME_GAIN), None)
        if same is None:
            together.append([name])
        else:
            same.append(name)
    return together


def bars(run: Run, path: Path) -> bool:
    """Time of each method on each workload, with its quartiles, and the plain copy as a line."""
    speed = main_speed(run.speed)
    if speed.empty:
        return False
    names = list(dict.fromkeys(speed["workload"]))
    height = 1.2 + 0.24 * speed.groupby("workload").size().max()
    figure = Figure(figsize=(5.5 * len(names), height), layout="constrained")
    for axis, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        cells = speed[speed["workload"] == name].sort_values("seconds", ascending=False)
        milliseconds = cells["seconds"] * 1e3
        axis.barh(
            cells["method"],
            milliseconds,
            xerr=milliseconds * cells["spread"] / 2,
            color="tab:blue",
            alpha=0.8,
        )
        copy = cells["copy_seconds"].dropna()
        if len(copy):
            axis.axvline(copy.iloc[0] * 1e3, color="black", linewidth=1, label="plain copy of the output")
            axis.legend(fontsize=7, loc="lower right")
        axis.set(xscale="log", xlabel="milliseconds, log scale", title=f"{name}, x{cells['scale'].iloc[0]}")
        axis.tick_params(labelsize=8)
        axis.margins(y=0.01)
    figure.savefig(path, dpi=120)
    return True


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
    figure.savefig(path, dpi=130)
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
    return [(_label(names), _picture(batch)) for names, batch in shown[:MAX_PICTURES]]


def _label(names: list[str]) -> str:
    names = sorted(names, key=lambda name: name not in PLAIN)
    return names[0] if len(names) == 1 else f"{names[0]}\n(and {len(names) - 1} much the same)"
