"""Quality and speed together: the table and the figure that the page begins with."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from upbench.reports import advice, tables
from upbench.reports.figures import Drawing, Drawn, lay_out, linked, save
from upbench.reports.frame import Run
from upbench.reports.tables import main_speed

FAR_DB = 5  # so far below the middle, a method is named at the lower edge and not drawn to scale


def section(run: Run, drawn: Drawn) -> str:
    """The headline table, and quality against speed."""
    table = headline(run)
    if not table:
        return ""
    what = []
    if not run.quality.empty:
        first = run.quality.iloc[0]
        what.append(f"quality: degradation {first['degradation']}, x{first['scale']}")
    chosen = tables.main_speed(run.speed)
    if not chosen.empty:
        first = chosen.iloc[0]
        what.append(
            f"time: x{first['scale']}, {first['device']}, {first['dtype']}, {first['memory_format']},"
            f" {first['mode']}, {first['step']}, {first['threads']} thread(s)"
        )
    return f"## Headline\n\n{'; '.join(what)}. Best in bold.\n\n{table}\n\n{linked(FIGURES, 'quality-speed', drawn)}"


def headline(run: Run) -> str:
    """The headline table alone, as markdown; empty if neither quality nor speed was measured."""
    if run.quality.empty and run.speed.empty:
        return ""
    table = tables.headline(run.quality, run.speed)
    formats, best = tables.headline_formats(table)
    return tables.markdown(table, formats, best)


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
    lay_out(figure)  # only now do names have a place
    for axis, front in zip(axes, fronts, strict=True):
        _name(axis, front)
    save(figure, path, dpi=120)
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


FIGURES: Mapping[str, Drawing] = {"quality-speed": Drawing("Quality against speed", scatter)}
