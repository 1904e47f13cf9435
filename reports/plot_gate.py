"""The figure of a comparison: every cell's ratio with its interval."""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from upbench.bench.gate.outcome import short
from upbench.bench.gate.pixels import CHANGED
from upbench.reports import theme
from upbench.reports.theme import Theme

Record = dict[str, Any]


def forest(comparison: Record, cells: Sequence[Record], colours: Theme) -> Figure:
    """Every cell's ratio with its interval, the threshold shaded, worst on top; diamonds: pixels changed."""
    left, row = 2.2, 0.24
    figure = theme.figure(0.2 + row * len(cells) + 0.5)
    axis = theme.axes(figure, left, 0.12, theme.WIDTH - left - 0.2, row * len(cells))
    threshold = comparison["settings"]["threshold"]
    axis.axvspan(1 / (1 + threshold), 1 + threshold, color=colours.band, linewidth=0)
    axis.axvline(1, color=colours.rule, linewidth=0.8)
    shades = {"SLOWER": colours.bad, "FASTER": colours.good, "SAME": colours.muted}
    for place, each in enumerate(cells):
        colour = shades.get(each["verdict"], colours.unsure)
        marker = "D" if (each["pixels"] or {}).get("status") == CHANGED else "o"
        axis.plot([each["low"], each["high"]], [place, place], color=colour, linewidth=1.8)
        axis.plot(each["ratio"], place, marker, color=colour, markersize=5)
        planted = " PLANTED" if each["planted"] != 1 else ""
        y = 0.12 + (place + 0.5) * row
        theme.put(
            figure, left - 0.08, y, (short(each["cell"]) + planted)[:34], ha="right", va="center", fontsize=theme.SMALL
        )
    low, high = min(*(each["low"] for each in cells), 0.9), max(*(each["high"] for each in cells), 1.1)
    axis.set_xscale("log")
    axis.set(xlim=(max(0.1, low) * 0.98, min(10, high) * 1.02), ylim=(len(cells) - 0.5, -0.5), yticks=[])
    axis.set_xticks(_ticks(*axis.get_xlim()))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_xlabel("candidate's time over the baseline's (log); diamonds: pixels changed")
    axis.grid(axis="x")
    return figure


def _ticks(low: float, high: float) -> list[float]:
    wide = [0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10]
    fine = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1, 1.05, 1.1, 1.2, 1.3, 1.4, 1.6, 1.8, 2]
    chosen = fine if low > 0.5 and high < 2.2 else wide
    inside = [tick for tick in chosen if low <= tick <= high]
    kept: list[float] = []
    for tick in inside:
        if not kept or tick / kept[-1] > (high / low) ** (1 / 14):
            kept.append(tick)
    return kept
