"""The section about a watched series: every cell's ratio to the anchor, night after night, and its changes."""

from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from upbench.bench.gate.outcome import short
from upbench.reports import theme
from upbench.reports.report import Report
from upbench.reports.theme import Theme
from upbench.reports.words import Block, Picture, cell, code, fold, heading, paragraph, table

Record = dict[str, Any]

COLUMNS = 3
MOST_PANELS = 24
MOST_TICKS = 6
MOST = 12


def section(report: Report) -> list[Block]:
    """Changes as a table, the series as a figure; nothing where nothing is watched."""
    watch = report.run.watch
    if not watch:
        return []
    note = (
        "Each night's time over that of {}, measured in the same duet, with its 95 % interval; a dashed line stands"
        " where the level changed. Colours are kinds of host: {}."
    )
    points = [point for series in watch.get("series", {}).values() for point in series]
    hosts = "; ".join(dict.fromkeys(str(point["host"]) for point in points)) or "none"
    said = paragraph(note, str(watch["anchor"]), hosts)
    blocks: list[Block] = [heading("Watched"), said, *_changes(watch["changes"])]
    if watch.get("series"):
        alt = f"Ratios of time to {watch['anchor']} of {len(watch['series'])} cells, night after night"
        blocks.append(Picture("watch", alt, partial(_draw, watch)))
    return blocks


def _changes(changes: list[Record]) -> list[Block]:
    """One row a change, the latest first."""
    if not changes:
        return [paragraph("No cell has changed.")]
    rows = [
        [
            code(short(change["branch"])),
            str(change["after"]),
            str(change["before"]),
            cell(f"{change['ratio']:.3f} ({change['low']:.3f} to {change['high']:.3f})", change["ratio"]),
            str(change["time"])[:10],
        ]
        for change in sorted(changes, key=lambda change: str(change["time"]), reverse=True)
    ]
    titles = ["cell", "from", "before", "× (95 %)", "night"]
    more = [table(titles, rows[MOST:], "lllrl")] if rows[MOST:] else []
    return [table(titles, rows[:MOST], "lllrl"), *fold(f"{len(rows) - MOST} earlier changes", more)]


def _draw(watch: Record, colours: Theme) -> Figure:
    """A panel a cell, those that changed most first."""
    series = watch["series"]
    moved = dict.fromkeys(series, 0.0)
    for change in watch["changes"]:
        moved[change["branch"]] = max(moved[change["branch"]], abs(np.log(change["ratio"])))
    names = sorted(series, key=lambda name: -moved[name])[:MOST_PANELS]
    columns = min(COLUMNS, len(names))
    rows = -(-len(names) // columns)
    figure = theme.figure(rows * 2.3 + 0.1)
    width = (theme.WIDTH - 0.45 * columns) / columns
    for number, name in enumerate(names):
        row, column = divmod(number, columns)
        axis = theme.axes(figure, 0.42 + column * (width + 0.45), 0.3 + row * 2.3, width, 1.25)
        _panel(axis, series[name], [change for change in watch["changes"] if change["branch"] == name], colours)
        axis.set_title(short(name)[: int(width / 0.075)], fontsize=theme.SMALL, pad=4)
    return figure


def _panel(axis: Any, points: list[Record], changes: list[Record], colours: Theme) -> None:
    hosts = list(dict.fromkeys(point["host"] for point in points))
    shades = list(colours.families.values())
    axis.axhline(1, color=colours.rule, linewidth=0.8)
    for number, host in enumerate(hosts):
        places = [place for place, point in enumerate(points) if point["host"] == host]
        ratios = np.exp([points[place]["value"] for place in places])
        reach = ratios * np.expm1([1.96 * points[place]["error"] for place in places])
        colour = shades[number % len(shades)]
        axis.errorbar(places, ratios, yerr=reach, fmt="o", color=colour, markersize=3, linewidth=1)
    for change in changes:
        place = next(place for place, point in enumerate(points) if point["candidate"] == change["after"])
        colour = colours.bad if change["ratio"] > 1 else colours.good
        axis.axvline(place - 0.5, color=colour, linestyle="--", linewidth=1)
    ticks = np.unique(np.linspace(0, len(points) - 1, min(MOST_TICKS, len(points))).astype(int))
    axis.set_xticks(ticks, [str(points[tick]["candidate"])[:12] for tick in ticks], rotation=45, ha="right")
    axis.yaxis.set_minor_locator(NullLocator())
    axis.grid(axis="y")
