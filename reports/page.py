"""The report: one page in two editions, markdown and HTML, made from an output folder's files section by section."""

from pathlib import Path
from types import ModuleType

from upbench.bench.store import write_text
from upbench.reports import (
    atlas,
    claims,
    deploy,
    first,
    gate,
    gpu,
    hidden,
    images,
    layers,
    looks,
    markdown,
    method_pages,
    protocol,
    quality,
    selfcheck,
    speed,
    sweep,
    take_home,
    theme,
    unmeasured,
    watch,
    web,
)
from upbench.reports.frame import Run
from upbench.reports.report import Report
from upbench.reports.words import Block, Picture, pictures

# In the order of the page. A section is a module with `section(report)`: its blocks, none where the run has nothing
# for it. A new stage brings a file and a line here.
SECTIONS: tuple[ModuleType, ...] = (
    first,
    looks,
    take_home,
    claims,
    images,
    quality,
    hidden,
    layers,
    speed,
    gpu,
    sweep,
    deploy,
    selfcheck,
    gate,
    watch,
    atlas,
    method_pages,
    unmeasured,
    protocol,
)


def blocks(report: Report) -> list[Block]:
    """The whole page."""
    sections = (gate, watch, atlas) if report.versions_only else SECTIONS
    opening = [first.title(report), *gate.alerts(report)]
    return [*opening, *(block for module in sections for block in module.section(report))]


def write(run: Run, *, html: bool = False) -> Path:
    """Write `report.md` and its figures into the run's folder, and `report.html` if asked; returns the page's path."""
    report = Report(run=run, html=html)
    found = blocks(report)
    draw(list(pictures(found)), run.folder / "figures")
    path = run.folder / "report.md"
    write_text(path, markdown.write(found))
    if html:
        write_text(run.folder / "report.html", web.write(report, found))
    return path


def draw(found: list[Picture], folder: Path) -> None:
    """Each figure in both themes."""
    folder.mkdir(parents=True, exist_ok=True)
    for picture in found:
        for colours in theme.THEMES:
            with theme.styled(colours):
                picture.draw(colours).savefig(folder / f"{picture.name}-{colours.name}.png", dpi=theme.DPI)
