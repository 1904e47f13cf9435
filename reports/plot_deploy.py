"""The figure of deploying: methods against roads, a verdict's colour in each cell and the time ratio written in."""

import itertools
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from upbench.reports import theme
from upbench.reports.theme import Theme

# A verdict's colour in the light theme and in the dark one; those with a sign carry it in the figure too.
COLOURS = {
    "same pixels": ("#b7e1b0", "#1f5f2c"),
    "other pixels": ("#f6dd8f", "#7a5c00"),
    "exported size only": ("#f2b27a", "#8a4b12"),
    "silently wrong elsewhere": ("#e8817f", "#9c2523"),
    "refuses": ("#d9dce0", "#3d444d"),
    "dies or hangs": ("#c5b0dc", "#5d3f86"),
    "not asked": ("#ffffff", "#0d1117"),
}
SIGNS = {"exported size only": "!", "silently wrong elsewhere": "!!", "refuses": "-", "dies or hangs": "x"}
WIDE, NARROW = 2.4, 1.0  # of a road's column, with times and without
WIDEST = 0.4  # inches for one of these
LINE = 0.17  # inches for a method


def draw(rows: pd.DataFrame, colours: Theme) -> Figure:
    """Methods against roads, coloured by verdict, the time ratio written in; a road without times is narrow."""
    methods = list(dict.fromkeys(rows["method"]))
    timed = rows.groupby("road", sort=False)["ratio"].any()
    widths = {str(road): WIDE if has_times else NARROW for road, has_times in timed.items()}
    lefts = dict(zip(widths, itertools.accumulate(widths.values(), initial=0.0), strict=False))
    height = LINE * len(methods)
    figure = theme.figure(height + 2.4)
    wide = theme.WIDTH - 2.3
    axis = theme.axes(figure, 2.1, 1.65, min(wide, WIDEST * sum(widths.values())), height)
    for _, row in rows.iterrows():
        road = str(row["road"])
        _cell(axis, (lefts[road], methods.index(row["method"]), widths[road]), row, colours)
    axis.set(xlim=(0, sum(widths.values())), ylim=(len(methods) - 0.5, -0.5))
    axis.set_xticks([lefts[road] + widths[road] / 2 for road in widths], list(widths), rotation=90, va="bottom")
    axis.set_yticks(range(len(methods)), methods)
    axis.xaxis.tick_top()
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    shown = [verdict for verdict in COLOURS if verdict in set(rows["verdict"])]
    handles = [_patch(verdict, colours) for verdict in shown]
    signed = [f"{verdict} {SIGNS.get(verdict, '')}".strip() for verdict in shown]
    figure.legend(handles, signed, loc="lower center", ncols=4, fontsize=theme.SMALL, frameon=False)
    return figure


def _patch(verdict: str, colours: Theme) -> Rectangle:
    pair = COLOURS.get(verdict, COLOURS["not asked"])
    face = pair[colours.name == "dark"]
    return Rectangle((-0.5, -0.5), 1, 1, facecolor=face, edgecolor=colours.page, linewidth=1)


def _cell(axis: Any, place: tuple[float, int, float], row: "pd.Series[Any]", colours: Theme) -> None:
    """`place`: its left edge, its line and its width."""
    left, line, width = place
    patch = _patch(str(row["verdict"]), colours)
    patch.set_bounds(left, line - 0.5, width, 1)
    axis.add_patch(patch)
    ratio = row["ratio"]
    text = "" if pd.isna(ratio) else f"{ratio:.2g}" if ratio < 10 else f"{ratio:.0f}"
    text += SIGNS.get(str(row["verdict"]), "")
    axis.text(left + width / 2, line, text, ha="center", va="center", fontsize=8, color=colours.ink)
