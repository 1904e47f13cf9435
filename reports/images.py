"""Every image that the methods make: a row each, and the names that give it."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

from matplotlib.figure import Figure

from upbench.reports import numbers, theme
from upbench.reports.report import Report
from upbench.reports.survey import Image
from upbench.reports.theme import Theme
from upbench.reports.words import (
    Block,
    Cell,
    Picture,
    Table,
    cell,
    code,
    fold,
    heading,
    paragraph,
    table,
)

MOST = 8  # rows of the table that is not folded
DRAWN = 40  # rows of the figure


def section(report: Report) -> list[Block]:
    """The scorecard, the best images, and in folds the rest and all names."""
    images = report.survey.images
    if not images:
        return []
    blocks: list[Block] = [heading("Every image")]
    note = "One row an image, with the fastest of the names that give it; best PSNR first."
    blocks.append(paragraph(note))
    blocks.append(_table(report, images[:MOST]))
    blocks += fold(f"The other {len(images) - MOST} images", [_table(report, images[MOST:])] if images[MOST:] else [])
    columns = _columns(report)
    if len(columns) > 1 and len(images) > 1:
        alt = f"A heat map of {len(images)} images by {', '.join(' '.join(column[0].split()) for column in columns)}"
        picture = Picture("scorecard", alt, partial(_scorecard, images[:DRAWN], columns), html=False)
        blocks += fold("All images as a heat map", [picture])
    return blocks


def _table(report: Report, images: Sequence[Image]) -> Table:
    rated = any(math.isfinite(image.psnr_db) for image in report.survey.images)
    titles = ["image", "names", *(["PSNR (dB)", "SSIM", "worst 5 % below (dB)"] if rated else [])]
    titles += [f"{report.short(name)} (ms)" for name in report.workloads]
    rows = []
    for image in images:
        figures: list[Cell] = []
        if rated:
            figures = [cell(numbers.decibels(image.psnr_db), image.psnr_db)]
            figures.append(cell(f"{image.ssim:.4f}" if math.isfinite(image.ssim) else "", image.ssim))
            figures.append(cell(numbers.significant(image.worst_db), image.worst_db))
        times = [_time(image, name) for name in report.workloads]
        rows.append([code(image.title), cell(str(len(image.names)), len(image.names)), *figures, *times])
    return table(titles, rows, "l" + "r" * (len(titles) - 1), search=True)


def _time(image: Image, workload: str) -> Cell:
    time = image.time(workload)
    return cell(numbers.time(time, unit=False), time.middle, time.cell) if time else cell(None)


Column = tuple[str, dict[str, float], bool, str]  # title, value by image, whether more is better, format


def _columns(report: Report) -> list[Column]:
    images = report.survey.images
    columns: list[Column] = []
    if any(math.isfinite(image.psnr_db) for image in images):
        columns.append(("PSNR\ndB", {i.title: i.psnr_db for i in images}, True, "dB"))
        columns.append(("SSIM", {i.title: i.ssim for i in images}, True, ".3f"))
        columns.append(("worst 5 %\nbelow, dB", {i.title: i.worst_db for i in images}, True, ".1f"))
    for name in report.workloads[:4]:
        times = {i.title: time.middle for i in images if (time := i.time(name))}
        copy = report.survey.copies.get(name)
        columns.append((f"{name}\nms", times, False, "ms"))
        if copy and len(report.workloads) <= 2:
            columns.append((f"{name}\n÷ a copy", {t: v / copy for t, v in times.items()}, False, "×"))
    return [column for column in columns if column[1]]


def _scorecard(images: Sequence[Image], columns: Sequence[Column], colours: Theme) -> Figure:
    """A row an image, a column a figure; the darker a cell, the better its rank's value."""
    height, left, top = 0.215, 1.75, 0.5
    figure = theme.figure(top + height * len(images) + 0.05)
    width = (theme.WIDTH - left) / len(columns)
    axis = theme.axes(figure, left, top, theme.WIDTH - left, height * len(images))
    axis.set_axis_off()
    axis.set(xlim=(0, len(columns)), ylim=(len(images), 0))
    for number, (title, values, more, form) in enumerate(columns):
        theme.put(
            figure, left + (number + 0.5) * width, 0.04, title, ha="center", fontsize=theme.SMALL, color=colours.muted
        )
        ranks = _ranks([values.get(image.title, math.nan) for image in images], more)
        for row, (image, rank) in enumerate(zip(images, ranks, strict=True)):
            value = values.get(image.title, math.nan)
            axis.fill(
                [number + 0.015, number + 0.985, number + 0.985, number + 0.015],
                [row + 0.04, row + 0.04, row + 0.96, row + 0.96],
                facecolor=colours.cool,
                alpha=0.06 + 0.94 * rank,
                linewidth=0,
            )
            if math.isfinite(value):
                axis.text(number + 0.5, row + 0.52, _shown(value, form), ha="center", va="center", fontsize=theme.SMALL)
    for row, image in enumerate(images):
        y = top + (row + 0.5) * height
        theme.put(figure, left - 0.07, y, image.title[:26], ha="right", va="center", fontsize=theme.SMALL)
    return figure


def _ranks(values: Sequence[float], more: bool) -> list[float]:
    """Each value's share of the way from the worst to the best rank; equal values share one."""
    finite = sorted({value for value in values if math.isfinite(value)}, reverse=not more)
    last = max(1, len(finite) - 1)
    return [finite.index(value) / last if math.isfinite(value) else 0.0 for value in values]


def _shown(value: float, form: str) -> str:
    special: dict[str, Any] = {"dB": numbers.decibels, "ms": numbers.milliseconds, "×": numbers.times}
    return str(special[form](value)) if form in special else format(value, form)
