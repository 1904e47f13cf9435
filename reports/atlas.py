"""The section about the atlas: what each release of torch changed against the one before it."""

from functools import partial
from typing import Any

import numpy as np

from upbench.bench.cells import STEPS
from upbench.bench.gate.outcome import short
from upbench.bench.gate.verdict import OPEN
from upbench.reports import plot_atlas
from upbench.reports.report import Report
from upbench.reports.words import Block, Code, Picture, Said, code, fold, heading, paragraph, say, table

Record = dict[str, Any]

MOST = 12
MOST_SCRIPTS = 12
LEAST = 1e-3  # a call that no longer holds any memory has a ratio of 0


def section(report: Report) -> list[Block]:
    """What each release changed, a heat map of every cell, each change, reproducers; nothing without an atlas."""
    atlas = report.run.atlas
    if not atlas:
        return []
    note = (
        "{}: each release against the one before it, {} cells; time above 1 is slower. Changes of time are confirmed by"
        " fresh pairs of processes; a reproducer needs torch alone, and its figures are what it printed in both"
        " environments."
    )
    cells = len({cell["cell"] for comparison in atlas["comparisons"] for cell in comparison["cells"]})
    blocks: list[Block] = [heading("Atlas of releases"), paragraph(note, " → ".join(atlas["releases"]), cells)]
    blocks += [*_where(atlas), *_releases(atlas)]
    for step in STEPS:
        found = plot_atlas.heat(atlas, step)
        if not found.empty:
            of = f"{len(found)} cells ({step}) by {len(found.columns)} releases"
            alt = f"Heat map of {of}: time over that of the release before"
            blocks.append(Picture(f"atlas-{step}", alt, partial(plot_atlas.draw, atlas, step)))
    return [*blocks, *_changes(atlas["changes"]), *_scripts(atlas["changes"])]


def _where(atlas: Record) -> list[Block]:
    """The machine, how many cells stayed open, and how many changes of time the reproducers show the same way."""
    verdicts = [cell["verdict"] for comparison in atlas["comparisons"] for cell in comparison["cells"]]
    host = next((each["candidate"]["host"] for each in atlas["comparisons"] if "host" in each["candidate"]), None)
    machine = [host["cpu"], str(host["cores"]), host["utc"][:10]] if host else []
    again = [
        (change["amount"] > 1) == (change["reproducer"]["ratio"] > 1)
        for change in atlas["changes"]
        if change["what"] == "time" and "ratio" in (change["reproducer"] or {})
    ]
    return [
        paragraph(
            ("Measured on {}, {} cores, {}. " if machine else "")
            + "Of {} comparisons of a cell {} stayed open."
            + " Of {} changes of time with a reproducer it goes the same way in {}.",
            *machine,
            len(verdicts),
            sum(verdict in OPEN for verdict in verdicts),
            len(again),
            sum(again),
        )
    ]


def _releases(atlas: Record) -> list[Block]:
    """One row a release: in how many cells it is slower or faster, where most, and what else is another."""
    rows = []
    for comparison in atlas["comparisons"]:
        release = str(comparison["candidate"]["label"])
        found = [change for change in atlas["changes"] if change["after"] == release]
        slower, faster = _times(found)
        pixels = {change["method"] for change in found if change["what"] in ("pixels", "edges CHANGED")}
        rows.append(
            [
                release,
                len(slower),
                len(faster),
                _largest(slower),
                _largest(faster),
                len(pixels),
                sum(change["what"] == "edges lost" for change in found),
                sum(change["what"] == "memory" for change in found),
            ]
        )
    titles = ["release", "slower", "faster", "slowest", "fastest", "other pixels", "no longer taken", "other memory"]
    note = (
        "In how many cells each is slower or faster; how many methods' pixels are others; how many methods no longer"
        " take an input that they took; in how many cells the peak of memory is another:"
    )
    return [paragraph(note), table(titles, rows, "lrrllrrr")]


def _times(changes: list[Record]) -> tuple[list[Record], list[Record]]:
    """Those of time: slower, and faster."""
    times = [change for change in changes if change["what"] == "time"]
    return [change for change in times if change["amount"] > 1], [change for change in times if change["amount"] < 1]


def _largest(times: list[Record]) -> Said:
    """The largest of such changes, and where."""
    if not times:
        return ""
    most = max(times, key=_weight)
    return say("{} x{}", code(short(most["cell"])), f"{most['amount']:.2f}")


def _changes(changes: list[Record]) -> list[Block]:
    """One row a change, in the order of the releases; many of them folded away."""
    if not changes:
        return [paragraph("Nothing changed.")]
    rows = [
        [
            str(change["before"]),
            str(change["after"]),
            code(change["method"]),
            code(short(change["cell"]) if "/" in change["cell"] else change["cell"]),
            str(change["what"]),
            _amount(change),
            _again(change["reproducer"]),
        ]
        for change in changes
    ]
    titles = ["from", "to", "method", "cell or input", "what", "amount", "reproducer"]
    if len(rows) <= MOST:
        return [table(titles, rows, "l" * 7)]
    return fold(f"All {len(rows)} changes", [table(titles, rows, "l" * 7, search=True)])


def _amount(change: Record) -> str:
    if change["amount"] is None:
        return str(change["reason"])
    if change["what"] == "time":
        low, high = change["interval"]
        return f"x{change['amount']:.2f} ({low:.2f} to {high:.2f})"
    if change["what"] == "memory":
        return f"x{change['amount']:.2f}"
    cases = f" in {change['cases']} cases" if "cases" in change else ""
    return f"up to {change['amount']:.2g}{cases}"


def _again(reproducer: Record | None) -> str:
    """What the reproducer's own figures say."""
    if not reproducer:
        return ""
    if "ratio" in reproducer:
        return f"x{reproducer['ratio']:.2f}"
    return "other pixels" if reproducer["differs"] else "the same pixels"


def _scripts(changes: list[Record]) -> list[Block]:
    """The reproducers of the largest changes, folded away."""
    told = sorted((each for each in changes if each["reproducer"]), key=_weight, reverse=True)[:MOST_SCRIPTS]
    blocks: list[Block] = []
    for change in told:
        again = change["reproducer"]
        what = say(
            "{}, {}: {}, {} to {}", change["method"], change["cell"], change["what"], change["before"], change["after"]
        )
        printed = "\n".join([again["baseline"][0], again["candidate"][0]])
        blocks += fold(what, [Code(again["script"]), Code(printed, "text")])
    return blocks


def _weight(change: Record) -> float:
    """Pixels before time and memory, and large changes before small ones."""
    if change["what"] in ("time", "memory"):
        return abs(float(np.log(max(change["amount"], LEAST))))
    return 10.0 + (change["amount"] or 0.0)
