"""Several machines, one page: a host a column, and times only as ratios to the same host's own call of today."""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from upbench.reports import families, numbers, page, theme
from upbench.reports.frame import Run
from upbench.reports.report import Report
from upbench.reports.theme import Theme
from upbench.reports.words import (
    Block,
    Cell,
    Heading,
    Picture,
    capital,
    cell,
    code,
    fold,
    heading,
    link,
    paragraph,
    say,
    table,
)

MOST = 14
DRAWN = 30  # rows of a figure
SHAPES = "osD^vPX*<>"  # a host's mark
APART = 1.5  # hosts whose ratios differ by more than this are said to disagree


def write(runs: Sequence[Run], folder: Path, *, html: bool = False) -> Path:
    """Write `report.md` of all runs with its figures into a folder, and `report.html` if asked; returns its path."""
    reports = [Report(run=run, html=html) for run in runs]
    return page.publish(reports, blocks(reports, folder), folder, html=html)


def blocks(reports: Sequence[Report], folder: Path) -> list[Block]:
    """Which host is which, then a table a workload that several of them measured."""
    names = [f"host {number}" for number in range(1, len(reports) + 1)]
    rows = [
        [name, report.host or "unknown", report.survey.device, str(report.survey.threads), _page(report, folder)]
        for name, report in zip(names, reports, strict=True)
    ]
    found: list[Block] = [Heading(say("Which upsampler? {} hosts", len(reports)), 1)]
    found.append(table(["host", "what", "device", "threads", "its report"], rows, "lllrl"))
    note = "A time is compared within its host only: each number is a ratio to that host's own call of torch's bicubic."
    found.append(paragraph(note))
    if any(report.html for report in reports):
        found.append(paragraph("{}.", link("Interactive edition", "report.html")))
    workloads = dict.fromkeys(name for report in reports for name in report.fronts)
    for number, workload in enumerate(workloads):
        found += _workload(reports, names, workload, number)
    return found


def _page(report: Report, folder: Path) -> Cell:
    way = os.path.relpath(report.run.folder / "report.md", folder)
    return cell(link("report", Path(way).as_posix())) if (report.run.folder / "report.md").is_file() else cell(None)


def _workload(reports: Sequence[Report], names: Sequence[str], workload: str, number: int) -> list[Block]:
    """A row an image that is on some host's front, a column a host; images on which hosts disagree are named.

    `number` tells this workload's figure from the others'.
    """
    front = {
        image.title: image.psnr_db
        for report in reports
        if workload in report.fronts
        for group in report.survey.front(workload)
        for image in group
    }
    rows: list[list[Cell]] = []
    apart: list[str] = []
    drawn: list[tuple[str, list[float | None]]] = []
    for title in sorted(front, key=lambda title: front[title]):
        ratios = [_ratio(report, title, workload) for report in reports]
        known = [ratio for ratio in ratios if ratio]
        if len(known) > 1 and max(known) > APART * min(known):
            apart.append(title)
        drawn.append((title, ratios))
        rows.append(
            [cell(code(title)), *(cell(numbers.times(ratio), ratio) if ratio else cell(None) for ratio in ratios)]
        )
    titles = ["image", *(f"{name}, times as fast" for name in names)]
    style = "l" + "r" * len(names)
    said: list[Block] = [heading(capital(reports[0].title(workload))), table(titles, rows[:MOST], style)]
    if any(known is not None for _, ratios in drawn for known in ratios):
        said.append(_figure(drawn[:DRAWN], names, number, reports[0].short(workload)))
    said += fold(f"{len(rows) - MOST} more", [table(titles, rows[MOST:], style)] if rows[MOST:] else [])
    if apart:
        said.append(paragraph("Hosts differ by more than {} times on: {}.", str(APART), ", ".join(apart)))
    return said


Rows = Sequence[tuple[str, list[float | None]]]


def _figure(rows: Rows, names: Sequence[str], number: int, workload: str) -> Picture:
    alt = (
        f"For {len(rows)} images, how many times as fast as the same host's bicubic each of {len(names)} hosts makes"
        f" them on {workload}; where a host's mark stands apart, hosts differ"
    )
    return Picture(f"hosts-{number + 1}", alt, partial(_draw, rows, names))


def _draw(rows: Rows, names: Sequence[str], colours: Theme) -> Figure:
    """A row an image, lowest PSNR on top; a mark a host, joined by a line that is red beyond `APART`."""
    left, top, row = 1.75, 0.42, 0.3
    figure = theme.figure(top + row * len(rows) + 0.55)
    axis = theme.axes(figure, left, top, theme.WIDTH - left - 0.2, row * len(rows))
    axis.axvline(1, color=colours.rule, linewidth=0.8)
    for place, (title, ratios) in enumerate(rows):
        known = [ratio for ratio in ratios if ratio]
        colour = colours.families[families.of(title)]
        if len(known) > 1:
            far = max(known) > APART * min(known)
            line = {"color": colours.bad if far else colours.rule, "linewidth": 2.2, "zorder": 1}
            axis.plot([min(known), max(known)], [place, place], **line)
        for host, ratio in enumerate(ratios):
            if ratio:
                full = {"facecolors": colours.page if host else colour, "edgecolors": colour, "linewidths": 1.4}
                beside = 0.5 * ((host + 0.5) / len(ratios) - 0.5)  # equal hosts do not hide each other
                axis.scatter(ratio, place + beside, 40, marker=SHAPES[host % len(SHAPES)], zorder=3, **full)
        y = top + (place + 0.5) * row
        theme.put(figure, left - 0.07, y, title[:26], ha="right", va="center", fontsize=theme.SMALL)
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5)))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}×"))
    axis.set(ylim=(len(rows) - 0.5, -0.5), yticks=[])
    axis.grid(axis="x")
    axis.set_xlabel(f"times as fast as the same host's own bicubic (log); red: hosts differ by more than {APART} times")
    handles = [
        Line2D([], [], color=colours.ink, marker=SHAPES[host % len(SHAPES)], linestyle="", label=name)
        for host, name in enumerate(names)
    ]
    for handle in handles[1:]:
        handle.set_markerfacecolor(colours.page)
    style = {"frameon": False, "borderaxespad": 0.2, "handletextpad": 0.2, "columnspacing": 1.4}
    figure.legend(handles=handles, loc="upper left", ncols=min(8, len(handles)), fontsize=theme.SIZE, **style)
    return figure


def _ratio(report: Report, title: str, workload: str) -> float | None:
    """How many times as fast as the host's own call of today an image's fastest name is."""
    today, image = report.survey.today(workload), report.survey.of(title)
    time = image.time(workload) if image else None
    return today[1].times[workload].middle / time.middle if today and time else None
