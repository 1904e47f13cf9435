"""The report's pictures, drawn from a `Run` and nothing else."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from upbench.reports import panel
from upbench.reports.frame import Run
from upbench.reports.tables import headline, main_speed

MAX_PICTURES = 17
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
    }
    paths = {name: folder / f"{name}.png" for name in drawings}
    return {name: path for name, path in paths.items() if drawings[name](run, path)}


def scatter(run: Run, path: Path) -> bool:
    """PSNR against time, a panel for each workload; only methods that nothing beats in both are named."""
    speed = main_speed(run.speed)
    table = headline(run.quality, run.speed)
    if speed.empty or "PSNR (dB)" not in table:
        return False
    columns = [column for column in table if str(column).endswith("(ms)")]
    figure = Figure(figsize=(6 * len(columns), 4.5), layout="constrained")
    for axis, column in zip(figure.subplots(1, len(columns), squeeze=False)[0], columns, strict=True):
        _scatter_one(axis, table.dropna(subset=[column, "PSNR (dB)"]), column)
    figure.savefig(path, dpi=120)
    return True


def _scatter_one(axis: Any, points: pd.DataFrame, time: str) -> None:
    front = _front(points, time)
    floor = front["PSNR (dB)"].min() - 1
    near, far = points[points["PSNR (dB)"] >= floor], points[points["PSNR (dB)"] < floor]
    axis.scatter(near[time], near["PSNR (dB)"], s=28, color="0.6")
    axis.plot(front[time], front["PSNR (dB)"], "o-", color="tab:blue", markersize=6, linewidth=1)
    for _, row in front.iterrows():
        place = {"xytext": (-7, 5), "textcoords": "offset points", "fontsize": 8, "ha": "right"}
        axis.annotate(row["method"], (row[time], row["PSNR (dB)"]), **place)
    axis.set(xscale="log", xlabel=f"time, {time}, log scale", ylabel="PSNR (dB)")
    axis.margins(x=0.25, y=0.12)
    axis.set_ylim(bottom=floor - 0.2)
    for _, row in far.iterrows():
        axis.plot(row[time], floor, "v", color="tab:red", markersize=6)
        place = {"xytext": (7, -2), "textcoords": "offset points", "fontsize": 7, "color": "tab:red"}
        axis.annotate(f"{row['method']}, {row['PSNR (dB)']:.1f} dB", (row[time], floor), **place)
    axis.set_title("up and left is better; the line joins what nothing beats", fontsize=9)
    axis.grid(alpha=0.3)


def _front(points: pd.DataFrame, time: str) -> pd.DataFrame:
    """Methods that no other beats in both time and PSNR, fastest first."""
    ordered = points.sort_values([time, "PSNR (dB)"], ascending=[True, False])
    best_before = ordered["PSNR (dB)"].cummax().shift(fill_value=-math.inf)
    return ordered[ordered["PSNR (dB)"] > best_before + 1e-3]


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
    """A picture of each method's output, best PSNR first; methods within one level of each other share one."""
    ranked = list(headline(run.quality, run.speed)["method"])
    shown: list[tuple[list[str], Array]] = []
    for method in ranked:
        batch = run.samples.get(f"{kind}/{method}")
        if batch is None:
            continue
        same = next((names for names, first in shown if np.abs(first.astype(int) - batch).max() <= 1), None)
        if same is None:
            shown.append(([method], batch))
        else:
            same.append(method)
    return [(_label(names), _picture(batch)) for names, batch in shown[:MAX_PICTURES]]


def _label(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]}\n(and {len(names) - 1} with the same pixels)"
