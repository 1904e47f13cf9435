"""Several machines, one page: a host a column, and times only as ratios to the same host's own call of today."""

import os
from collections.abc import Sequence
from pathlib import Path

from upbench.bench.store import write_text
from upbench.reports import first, markdown, numbers
from upbench.reports.frame import Run
from upbench.reports.report import Report
from upbench.reports.words import Block, Cell, Heading, cell, code, fold, heading, link, paragraph, say, table

MOST = 14
APART = 1.5  # hosts whose ratios differ by more than this are said to disagree


def write(runs: Sequence[Run], folder: Path) -> Path:
    """Write `report.md` of all runs into a folder; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "report.md"
    write_text(path, markdown.write(blocks([Report(run=run) for run in runs], folder)))
    return path


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
    workloads = dict.fromkeys(name for report in reports for name in report.fronts)
    for workload in workloads:
        found += _workload(reports, names, workload)
    return found


def _page(report: Report, folder: Path) -> Cell:
    page = os.path.relpath(report.run.folder / "report.md", folder)
    return cell(link("report", Path(page).as_posix())) if (report.run.folder / "report.md").is_file() else cell(None)


def _workload(reports: Sequence[Report], names: Sequence[str], workload: str) -> list[Block]:
    """A row an image that is on some host's front, a column a host; images on which hosts disagree are named."""
    front = {
        image.title: image.psnr_db
        for report in reports
        if workload in report.fronts
        for group in report.survey.front(workload)
        for image in group
    }
    rows: list[list[Cell]] = []
    apart: list[str] = []
    for title in sorted(front, key=lambda title: front[title]):
        ratios = [_ratio(report, title, workload) for report in reports]
        known = [ratio for ratio in ratios if ratio]
        if len(known) > 1 and max(known) > APART * min(known):
            apart.append(title)
        rows.append(
            [cell(code(title)), *(cell(numbers.times(ratio), ratio) if ratio else cell(None) for ratio in ratios)]
        )
    titles = ["image", *(f"{name}, times as fast" for name in names)]
    style = "l" + "r" * len(names)
    said: list[Block] = [heading(first._capital(reports[0].title(workload))), table(titles, rows[:MOST], style)]
    said += fold(f"{len(rows) - MOST} more", [table(titles, rows[MOST:], style)] if rows[MOST:] else [])
    if apart:
        said.append(paragraph("Hosts differ by more than {} times on: {}.", str(APART), ", ".join(apart)))
    return said


def _ratio(report: Report, title: str, workload: str) -> float | None:
    """How many times as fast as the host's own call of today an image's fastest name is."""
    today, image = report.survey.today(workload), report.survey.of(title)
    time = image.time(workload) if image else None
    return today[1].times[workload].middle / time.middle if today and time else None
