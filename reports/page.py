"""The report: one page in two editions, markdown and HTML, made from an output folder's files section by section."""

import multiprocessing
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from PIL import Image

from upbench.bench.store import replacing, write_text
from upbench.bench.workers import warden
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
from upbench.reports.theme import Theme
from upbench.reports.words import Block, Picture, pictures

if TYPE_CHECKING:
    from multiprocessing.context import ForkProcess

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

SIGNATURE = "upbench report"  # in a figure's file: what a later report may remove


def blocks(report: Report) -> list[Block]:
    """The whole page."""
    sections = (gate, watch, atlas) if report.versions_only else SECTIONS
    opening = [first.title(report), *gate.alerts(report)]
    return [*opening, *(block for module in sections for block in module.section(report))]


def write(run: Run, *, html: bool = False) -> Path:
    """Write `report.md` and its figures into the run's folder, and `report.html` if asked; returns the page's path."""
    report = Report(run=run, html=html)
    return publish([report], blocks(report), run.folder, html=html)


def publish(reports: Sequence[Report], found: Sequence[Block], folder: Path, *, html: bool) -> Path:
    """Blocks as both editions of a page with its figures; figures of an earlier page that are no longer in it go."""
    shown = list(pictures(found))
    with drawing(shown, folder / "figures"):
        write_text(folder / "report.md", markdown.write(found))
        if html:
            write_text(folder / "report.html", web.write(reports, found))
    _tidy(folder / "figures", {_file(picture, colours) for picture in shown for colours in theme.THEMES})
    return folder / "report.md"


def _tidy(folder: Path, kept: set[str]) -> None:
    """Remove figures that a report signed and that are not among those of its page; no other file."""
    for path in folder.glob("*.png"):
        if path.name not in kept and _signed(path):
            path.unlink()


def _signed(path: Path) -> bool:
    try:
        with Image.open(path) as picture:
            return picture.info.get("Software") == SIGNATURE
    except OSError:
        return False


def _file(picture: Picture, colours: Theme) -> str:
    return f"{picture.name}-{colours.name}.png"


@contextmanager
def drawing(found: list[Picture], folder: Path) -> Iterator[None]:
    """Each figure in both themes, by a process a core while the caller goes on, where the system can fork."""
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [(picture, colours) for picture in found for colours in theme.THEMES]
    shares = min(os.cpu_count() or 1, len(jobs)) if "fork" in multiprocessing.get_all_start_methods() else 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads beside a fork: the children use none of them
        children = [_fork(jobs[share::shares], folder) for share in range(shares)]
    try:
        yield
    finally:
        for child in children:
            child.join()
    if not children:
        _draw(jobs, folder)
    for share, child in enumerate(children):
        if child.exitcode:
            _draw(jobs[share::shares], folder)  # the error comes again, here


def _fork(jobs: Sequence[tuple[Picture, Theme]], folder: Path) -> "ForkProcess":
    child = multiprocessing.get_context("fork").Process(target=_draw_below, args=(os.getpid(), jobs, folder))
    child.start()
    return child


def _draw_below(parent: int, jobs: Sequence[tuple[Picture, Theme]], folder: Path) -> None:
    """Draw in a child, which a parent that is killed takes with it."""
    warden.follow()
    if os.getppid() == parent:
        _draw(jobs, folder)


def _draw(jobs: Sequence[tuple[Picture, Theme]], folder: Path) -> None:
    for picture, colours in jobs:
        with theme.styled(colours):
            drawn = picture.draw(colours)
            with replacing(folder / _file(picture, colours)) as whole:
                drawn.savefig(whole, dpi=theme.DPI, metadata={"Software": SIGNATURE})
