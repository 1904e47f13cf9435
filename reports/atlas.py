"""The section about the atlas: what each release of torch changed against the one before it."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.figure import Figure

from upbench.bench.gate.outcome import short
from upbench.bench.gate.pixels import CHANGED
from upbench.reports import theme
from upbench.reports.report import Report
from upbench.reports.theme import Theme
from upbench.reports.words import Block, Code, Picture, code, fold, heading, paragraph, say, table

Record = dict[str, Any]

MOST = 12
MOST_SCRIPTS = 12
LIMIT = 2.0  # ratios beyond it to either side have the end of the colours
SHOWN = ("SLOWER", "FASTER")


def section(report: Report) -> list[Block]:
    """A table of the changes alone, a heat map of every cell, and reproducers; nothing without an atlas."""
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
    blocks += _changes(atlas["changes"])
    found = heat(atlas)
    if not found.empty:
        alt = f"Heat map of {len(found)} cells by {len(found.columns)} releases: time over that of the release before"
        blocks.append(Picture("atlas", alt, partial(_draw, atlas)))
    return [*blocks, *_scripts(atlas["changes"])]


def _changes(changes: list[Record]) -> list[Block]:
    """One row a change, in the order of the releases."""
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
    more = [table(titles, rows[MOST:], "l" * 7, search=True)] if rows[MOST:] else []
    return [table(titles, rows[:MOST], "l" * 7), *fold(f"{len(rows) - MOST} more changes", more)]


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
    """Pixels before time, and large changes before small ones."""
    if change["what"] == "time":
        return abs(float(np.log(change["amount"])))
    return 10.0 + (change["amount"] or 0.0)


def heat(atlas: Record) -> pd.DataFrame:
    """Cells by releases: the ratio to the release before, missing where it was not measured."""
    columns = {}
    for comparison in atlas.get("comparisons", []):
        values = {short(cell["cell"]): cell["ratio"] for cell in comparison["cells"]}
        columns[comparison["candidate"]["label"]] = pd.Series(values, dtype=float)
    return pd.DataFrame(columns)


def _draw(atlas: Record, colours: Theme) -> Figure:
    """Slower is warm, faster is cool; a confirmed change is written out, a change of pixels is a diamond."""
    found = heat(atlas)
    left, top, row = 2.4, 0.55, 0.215
    figure = theme.figure(top + row * len(found) + 0.1)
    width = min(1.2, (theme.WIDTH - left) / len(found.columns))
    axis = theme.axes(figure, left, top, width * len(found.columns), row * len(found))
    axis.set_axis_off()
    axis.set(xlim=(-0.5, len(found.columns) - 0.5), ylim=(len(found) - 0.5, -0.5))
    shades = np.log2(found.to_numpy(dtype=float)) / (2 * np.log2(LIMIT)) + 0.5
    for (place, column), share in np.ndenumerate(shades):
        if np.isfinite(share):
            sides = (
                [column - 0.48, column + 0.48, column + 0.48, column - 0.48],
                [place - 0.46] * 2 + [place + 0.46] * 2,
            )
            axis.fill(*sides, color=colormaps[colours.signed](float(np.clip(share, 0, 1))), linewidth=0)
    for column, comparison in enumerate(atlas["comparisons"]):
        name = str(comparison["candidate"]["label"])[:14]
        theme.put(figure, left + (column + 0.5) * width, 0.32, name, ha="center", fontsize=theme.SMALL)
        _marks(axis, column, list(found.index), comparison, colours)
    for place, name in enumerate(found.index):
        y = top + (place + 0.5) * row
        theme.put(figure, left - 0.07, y, str(name)[:36], ha="right", va="center", fontsize=theme.SMALL)
    said = "time over that of the release before: red slower, blue faster; diamonds: pixels changed"
    theme.put(figure, left, 0.04, said, fontsize=theme.SMALL, color=colours.muted)
    return figure


def _marks(axis: Any, column: int, names: list[str], comparison: Record, colours: Theme) -> None:
    for cell in comparison["cells"]:
        row = names.index(short(cell["cell"]))
        if cell["verdict"] in SHOWN:
            axis.text(column, row, f"{cell['ratio']:.2f}", ha="center", va="center", fontsize=theme.SMALL)
        if (cell["pixels"] or {}).get("status") == CHANGED:
            axis.plot(column - 0.38, row, "D", color=colours.ink, markersize=3)
