"""Times drawn: every name a mark, the heat map over a plain copy, and every sample of the front."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from upbench.reports import numbers, theme
from upbench.reports.survey import Image, Survey, Time
from upbench.reports.theme import MARKERS, Theme


def strips(
    found: Survey, images: Sequence[Image], workloads: list[str], titles: dict[str, str], colours: Theme
) -> Figure:
    """A row an image: all its names by their times, the fastest large, with the middle half of its samples."""
    left, top, row, gap = 1.78, 0.78, 0.222, 0.15
    tall = row * len(images)
    figure = theme.figure(top + tall + 0.52)
    width = (theme.WIDTH - left - gap * len(workloads)) / len(workloads)
    every = [n.times[w] for w in workloads for image in images for n in image.timed(w)]
    copies = [found.copies[w] for w in workloads if w in found.copies]
    low, high = min([t.middle for t in every] + copies) / 1.5, max(t.middle for t in every) * 1.8
    for number, workload in enumerate(workloads):
        axis = theme.axes(figure, left + number * (width + gap), top, width, tall)
        _strip(axis, found, images, workload, colours)
        axis.set(xlim=(low, high), ylim=(len(images) - 0.5, -0.5), yticks=[])
        theme.put(figure, left + number * (width + gap), top - 0.42, titles[workload], weight="semibold")
    for place, image in enumerate(images):
        y = top + (place + 0.5) * row
        theme.put(figure, left - 0.52, y, image.title[:24], ha="right", va="center", fontsize=theme.SMALL)
        theme.put(
            figure, left - 0.06, y, numbers.decibels(image.psnr_db), ha="right", va="center", fontsize=theme.SMALL
        )
    said = "time of a call (log). A row is an image, with its PSNR in dB; bars: middle half of the samples"
    theme.put(figure, theme.WIDTH / 2, top + tall + 0.28, said, ha="center", fontsize=theme.SMALL, color=colours.muted)
    theme.legend(figure, colours, {n.family for image in images for n in image.names})
    return figure


def _strip(axis: Any, found: Survey, images: Sequence[Image], workload: str, colours: Theme) -> None:
    for place, image in enumerate(images):
        if place % 2 == 0:
            axis.axhspan(place - 0.5, place + 0.5, color=colours.band, zorder=0, linewidth=0)
        timed = image.timed(workload)
        if len(timed) > 1:
            ends = [timed[0].times[workload].middle, timed[-1].times[workload].middle]
            axis.plot(ends, [place, place], color=colours.rule, linewidth=1.2, zorder=1)
        for name in reversed(timed):
            time, first = name.times[workload], name is timed[0]
            colour = colours.families[name.family]
            axis.plot([time.low, time.high], [place, place], color=colour, linewidth=2 if first else 1, zorder=2)
            axis.scatter(
                time.middle,
                place,
                44 if first else 16,
                marker=MARKERS[name.family],
                color=colour,
                zorder=3,
                edgecolors=colours.page,
                linewidths=0.5,
            )
    if workload in found.copies:
        axis.axvline(found.copies[workload], color=colours.muted, linestyle=":", linewidth=1)
        axis.annotate(
            "a plain copy",
            (found.copies[workload], 1),
            (3, 3),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            fontsize=theme.SMALL,
            color=colours.muted,
        )
    _time_axis(axis)


def _time_axis(axis: Any) -> None:
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(LogLocator(10, numticks=7))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(theme.duration))
    axis.grid(axis="x")


def heat(
    found: Survey, images: Sequence[Image], workloads: list[str], titles: dict[str, str], colours: Theme
) -> Figure:
    """A row an image, a column a workload: time over that of a plain copy, the nearer the darker."""
    left, top, row = 1.75, 0.5, 0.215
    figure = theme.figure(top + row * len(images) + 0.05)
    width = min(1.6, (theme.WIDTH - left) / len(workloads))
    axis = theme.axes(figure, left, top, width * len(workloads), row * len(images))
    axis.set_axis_off()
    values = np.array([[_ratio(image.time(w), found.copies[w]) for w in workloads] for image in images])
    axis.set(xlim=(-0.5, len(workloads) - 0.5), ylim=(len(images) - 0.5, -0.5))
    high = math.log(max(2.0, float(np.nanmax(values))))
    for (y, x), value in np.ndenumerate(values):
        if math.isfinite(value):
            near = 1 - min(1.0, max(0.0, math.log(value) / high))
            sides = [x - 0.485, x + 0.485, x + 0.485, x - 0.485], [y - 0.46, y - 0.46, y + 0.46, y + 0.46]
            axis.fill(*sides, facecolor=colours.cool, alpha=0.06 + 0.94 * near, linewidth=0)
            axis.text(x, y, numbers.times(value), ha="center", va="center", fontsize=theme.SMALL)
    for number, name in enumerate(workloads):
        x = left + (number + 0.5) * width
        theme.put(figure, x, 0.04, titles[name], ha="center", fontsize=theme.SMALL, color=colours.muted)
    for place, image in enumerate(images):
        y = top + (place + 0.5) * row
        theme.put(figure, left - 0.07, y, image.title[:26], ha="right", va="center", fontsize=theme.SMALL)
    return figure


def _ratio(time: Time | None, copy: float) -> float:
    return time.middle / copy if time else math.nan


def samples_drawn(rows: list[tuple[str, str, Any, Time]], colours: Theme) -> Figure:
    """A row a method: its samples over their median, jittered from a seed; the box spans the middle half."""
    left, row = 1.75, 0.34
    figure = theme.figure(0.15 + row * len(rows) + 0.5)
    axis = theme.axes(figure, left, 0.1, theme.WIDTH - left - 0.2, row * len(rows))
    jitter = np.random.default_rng(0)
    for place, (_, family, samples, _) in enumerate(rows):
        values = np.asarray(samples) / np.median(samples)
        q1, q3 = np.percentile(values, [25, 75])
        axis.fill([q1, q3, q3, q1], [place - 0.34, place - 0.34, place + 0.34, place + 0.34], color=colours.band)
        axis.plot([1, 1], [place - 0.34, place + 0.34], color=colours.muted, linewidth=1.2)
        axis.scatter(
            values,
            place + jitter.uniform(-0.26, 0.26, len(values)),
            7,
            color=colours.families[family],
            alpha=0.7,
            linewidths=0,
        )
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(LogLocator(10, subs=(0.5, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.5, 2, 3, 5)))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set(ylim=(len(rows) - 0.5, -0.5), yticks=[])
    axis.grid(axis="x")
    axis.set_xlabel("sample over the median of its method; shaded: the middle half")
    for place, (name, *_) in enumerate(rows):
        theme.put(
            figure, left - 0.07, 0.1 + (place + 0.5) * row, name[:26], ha="right", va="center", fontsize=theme.SMALL
        )
    return figure
