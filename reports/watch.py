"""The report's section about a watched series: every cell's ratio to the anchor, night after night, and its changes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from upbench.bench.gate.outcome import short
from upbench.reports.figures import Drawing, Drawn, linked, save
from upbench.reports.frame import Run
from upbench.reports.tables import markdown

Record = dict[str, Any]

COLUMNS = 3
MOST_PANELS = 24
MOST_TICKS = 8


def section(run: Run, drawn: Drawn) -> str:
    """Changes as a table, the series as a figure; empty where nothing is watched."""
    if not run.watch:
        return ""
    changes = run.watch["changes"]
    said = markdown(table(changes), {"time": ".3f"}) if changes else "No cell has changed."
    note = (
        f"Each night's time over that of {run.watch['anchor']}, measured in the same duet, with its 95 % interval;"
        " a dashed line stands where the level changed. Colours are kinds of host:"
        f" {'; '.join(dict.fromkeys(point['host'] for points in run.watch['series'].values() for point in points))}."
    )
    return "\n\n".join(["## Watched", note, said, linked(FIGURES, "watch", drawn)])


def table(changes: list[Record]) -> pd.DataFrame:
    """One row a change, the latest first."""
    rows = [
        {
            "cell": short(change["branch"]),
            "from": change["after"],
            "before": change["before"],
            "time": change["ratio"],
            "95 %": f"{change['low']:.3f} to {change['high']:.3f}",
            "night": change["time"][:10],
        }
        for change in sorted(changes, key=lambda change: str(change["time"]), reverse=True)
    ]
    return pd.DataFrame(rows)


def draw(run: Run, path: Path) -> bool:
    """A panel a cell, those that changed most first."""
    series = run.watch.get("series", {})
    if not series:
        return False
    moved = dict.fromkeys(series, 0.0)
    for change in run.watch["changes"]:
        moved[change["branch"]] = max(moved[change["branch"]], abs(np.log(change["ratio"])))
    names = sorted(series, key=lambda name: -moved[name])[:MOST_PANELS]
    columns, rows = min(COLUMNS, len(names)), -(-len(names) // COLUMNS)
    figure = Figure(figsize=(4.6 * columns, 2.6 * rows), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axis in axes:
        axis.set_axis_off()
    for axis, name in zip(axes, names, strict=False):
        axis.set_axis_on()
        _panel(axis, series[name], [change for change in run.watch["changes"] if change["branch"] == name])
        axis.set_title(short(name), fontsize=8)
    figure.supylabel(f"time / time of {run.watch['anchor']}", fontsize=8)
    save(figure, path, dpi=120)
    return True


def _panel(axis: Any, points: list[Record], changes: list[Record]) -> None:
    hosts = list(dict.fromkeys(point["host"] for point in points))
    axis.axhline(1, color="0.7", linewidth=0.8)
    for number, host in enumerate(hosts):
        places = [place for place, point in enumerate(points) if point["host"] == host]
        ratios = np.exp([points[place]["value"] for place in places])
        reach = ratios * np.expm1([1.96 * points[place]["error"] for place in places])
        axis.errorbar(places, ratios, yerr=reach, fmt="o", color=f"C{number}", markersize=3, linewidth=1)
    for change in changes:
        place = next(place for place, point in enumerate(points) if point["candidate"] == change["after"])
        axis.axvline(place - 0.5, color="tab:red" if change["ratio"] > 1 else "tab:green", linestyle="--", linewidth=1)
    ticks = np.unique(np.linspace(0, len(points) - 1, min(MOST_TICKS, len(points))).astype(int))
    axis.set_xticks(ticks, [points[tick]["candidate"] for tick in ticks], rotation=45, ha="right", fontsize=6)
    axis.tick_params(axis="y", labelsize=7)
    axis.grid(axis="y", alpha=0.3)


FIGURES: Mapping[str, Drawing] = {"watch": Drawing("Every watched cell's ratio to the anchor, night after night", draw)}
