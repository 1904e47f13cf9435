"""What a call costs: figures of every name, samples of the front, a plain copy as the yardstick, tables in the HTML."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from upbench.bench.cells import COPY
from upbench.reports import numbers, theme
from upbench.reports.report import Report
from upbench.reports.survey import Image, Survey, Time
from upbench.reports.theme import MARKERS, Theme
from upbench.reports.words import Block, Picture, Rich, Words, cell, code, fold, heading, paragraph, say, table

ROWS = 40  # images in a figure
PANELS = 2


def section(report: Report) -> list[Block]:
    """Words and the heat map, then in folds the times of every name, the samples of the front, and the tables."""
    found = report.survey
    if not found.workloads:
        return []
    blocks: list[Block] = [heading("Times")]
    blocks.append(paragraph("A call is timed in blocks of at least 2 ms. {}", _yardsticks(report)))
    images = [image for image in found.images if any(image.time(name) for name in found.workloads)][:ROWS]
    shown = report.workloads[:PANELS]
    titles = {name: f"{report.short(name)}, {report.shape(name)}" for name in report.workloads}
    alt = (
        f"Times of {sum(len(image.names) for image in images)} names in {len(images)} rows, one an image, on"
        f" {' and '.join(report.short(name) for name in shown)}; the large mark is an image's fastest name"
    )
    blocks += fold(
        "Every name's time, a row an image", [Picture("times", alt, partial(_strips, found, images, shown, titles))]
    )
    blocks += _heat(report, images)
    blocks += _distributions(report)
    tables: list[Block] = []
    for name in report.workloads:
        tables += fold(f"Times for {report.title(name)}, ×{found.scale}", [_table(report, name)])
    return [*blocks, Rich((*tables, *_others(report)))]


def _yardsticks(report: Report) -> Words:
    rates = [
        f"a copy far beyond the caches moves {numbers.significant(row['copy'] / 1e9)} GB/s on {row['device']} with"
        f" {row['threads']} CPU thread(s), a write alone {numbers.significant(row['write'] / 1e9)} GB/s"
        for row in report.run.bandwidth.to_dict("records")
    ]
    if not rates:
        return say("This run did not measure the bandwidth of memory.")
    return say("{}.", _capital("; ".join(rates)))


def _capital(said: str) -> str:
    return said[:1].upper() + said[1:]


def _table(report: Report, workload: str) -> Block:
    """Every name on a workload, fastest first."""
    cells = {str(row["cell"]): row for row in report.run.speed.to_dict("records") if "cell" in row}
    timed = sorted(
        ((image, name, name.times[workload]) for image in report.survey.images for name in image.timed(workload)),
        key=lambda each: (each[2].middle, each[1].name),
    )
    converts = any(time.conversion > 0 for _, _, time in timed)
    copy = report.survey.copies.get(workload)
    titles = ["method", "image", "ms", "middle half (ms)"]
    titles += [
        *(["of it conversion (ms)"] if converts else []),
        "Mpx/s",
        *(["÷ a copy"] if copy else []),
        "of light",
        "grade",
    ]
    rows = []
    for image, name, time in timed:
        row = cells.get(time.cell, {})
        light = row.get("light_share", math.nan)
        rows.append(
            [
                code(name.name),
                code(image.title),
                cell(numbers.milliseconds(time.middle), time.middle, time.cell),
                f"{numbers.milliseconds(time.low)} to {numbers.milliseconds(time.high)}",
                *(
                    [cell(numbers.milliseconds(time.conversion) if time.conversion else "", time.conversion)]
                    if converts
                    else []
                ),
                cell(
                    numbers.significant(row.get("megapixels", math.nan) / time.middle),
                    row.get("megapixels", 0) / time.middle,
                ),
                *([cell(numbers.times(time.middle / copy), time.middle / copy)] if copy else []),
                cell(f"{light:.0%}" if math.isfinite(light) else "", light),
                ": ".join(report.grades.get(time.cell, ("", ""))).removesuffix(": "),
            ]
        )
    return table(titles, rows, "ll" + "r" * (len(titles) - 3) + "l", search=True)


def _others(report: Report) -> list[Block]:
    """Cells beyond the main setting: other dtypes, formats, modes, passes, threads, devices and scales."""
    speed = report.run.speed
    if speed.empty:
        return []
    axes = ["scale", "device", "dtype", "memory_format", "mode", "step", "threads"]
    rest = speed[(speed[axes] != speed.iloc[0][axes]).any(axis=1) & (speed["method"] != COPY)]
    if rest.empty:
        return []
    varying = [axis for axis in axes if speed[axis].nunique() > 1]
    rows = []
    for row in rest.sort_values(["workload", "seconds"], kind="stable").to_dict("records"):
        settings = [str(row[axis]) for axis in varying]
        total = row["seconds"] + row["conversion_seconds"]
        rows.append(
            [
                code(row["method"]),
                report.short(row["workload"]),
                *settings,
                cell(numbers.milliseconds(total), total, str(row.get("cell", ""))),
            ]
        )
    titles = ["method", "workload", *(axis.replace("_", " ") for axis in varying), "ms"]
    return fold(
        f"{len(rows)} times in other settings", [table(titles, rows, "l" * (len(titles) - 1) + "r", search=True)]
    )


def _strips(
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


def _heat(report: Report, images: Sequence[Image]) -> list[Block]:
    """Images by workloads, each time over a plain copy's."""
    found = report.survey
    workloads = [name for name in report.workloads if name in found.copies]
    if len(workloads) < 3 or len(images) < 2:
        return []
    titles = {name: f"{name}\n{report.shape(name)}" for name in workloads}
    alt = (
        f"Heat map of {len(images)} images by {len(workloads)} workloads: time over that of a plain copy of the output"
    )
    return fold(
        "How far from a plain copy, by workload",
        [Picture("copies", alt, partial(_draw_heat, found, images, workloads, titles))],
    )


def _draw_heat(
    found: Survey, images: Sequence[Image], workloads: list[str], titles: dict[str, str], colours: Theme
) -> Figure:
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


def _distributions(report: Report) -> list[Block]:
    """The samples of the front's fastest names on the first workload."""
    if not report.fronts:
        return []
    workload = report.fronts[0]
    front = [image for group in report.survey.front(workload) for image in group]
    today = report.survey.today(workload)
    timed = [(image.fastest(workload), image.time(workload)) for image in front]
    rows = [(name.name, name.family, report.run.raw.get(time.cell, ()), time) for name, time in timed if name and time]
    if today and today[1].name not in [row[0] for row in rows]:
        time = today[1].times[workload]
        rows.append((today[1].name, today[1].family, report.run.raw.get(time.cell, ()), time))
    rows = [row for row in rows if len(row[2])]
    if not rows:
        return []
    alt = f"Every sample of {', '.join(row[0] for row in rows)} on {report.short(workload)}, as a share of its median"
    return fold(
        f"Every sample of the front on {report.short(workload)}", [Picture("samples", alt, partial(_samples, rows))]
    )


def _samples(rows: list[tuple[str, str, Any, Time]], colours: Theme) -> Figure:
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
