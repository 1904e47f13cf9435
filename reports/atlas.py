"""The report's section about the atlas: what each release of torch changed against the one before it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from upbench.bench.gate.outcome import short
from upbench.bench.gate.pixels import CHANGED
from upbench.reports.figures import Drawing, Drawn, linked, save
from upbench.reports.frame import Run
from upbench.reports.tables import markdown

Record = dict[str, Any]

MOST_SCRIPTS = 12
LIMIT = 2.0  # ratios beyond it to either side have the end of the colours
SHOWN = ("SLOWER", "FASTER")


def section(run: Run, drawn: Drawn) -> str:
    """A heat map of every cell, a table of the changes alone, and their reproducers; empty without an atlas."""
    if not run.atlas:
        return ""
    releases, changes = run.atlas["releases"], run.atlas["changes"]
    said = markdown(table(changes)) if changes else "Nothing changed."
    note = (
        f"{' → '.join(releases)}: each release against the one before it, {_cells(run)} cells; time above 1 is slower."
        " Changes of time are confirmed by fresh pairs of processes; a reproducer needs torch alone, and its figures"
        " are what it printed in both environments."
    )
    return "\n\n".join(["## Atlas of releases", note, linked(FIGURES, "atlas", drawn), said, *_scripts(changes)])


def _cells(run: Run) -> int:
    return len({cell["cell"] for comparison in run.atlas["comparisons"] for cell in comparison["cells"]})


def table(changes: list[Record]) -> pd.DataFrame:
    """One row a change, in the order of the releases."""
    return pd.DataFrame(
        {
            "from": change["before"],
            "to": change["after"],
            "method": change["method"],
            "cell or input": short(change["cell"]) if "/" in change["cell"] else change["cell"],
            "what": change["what"],
            "amount": _amount(change),
            "reproducer": _again(change["reproducer"]),
        }
        for change in changes
    )


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


def _scripts(changes: list[Record]) -> Iterator[str]:
    """The reproducers of the largest changes, folded away."""
    told = sorted((each for each in changes if each["reproducer"]), key=_weight, reverse=True)[:MOST_SCRIPTS]
    for change in told:
        again = change["reproducer"]
        lines = [
            f"<details><summary>{change['method']}, {change['cell']}: {change['what']}, {change['before']} to"
            f" {change['after']}</summary>",
            f"```python\n{again['script']}```",
            "```\n" + "\n".join([again["baseline"][0], again["candidate"][0]]) + "\n```",
            "</details>",
        ]
        yield "\n\n".join(lines)


def _weight(change: Record) -> float:
    """Pixels before time, and large changes before small ones."""
    if change["what"] == "time":
        return abs(float(np.log(change["amount"])))
    return 10.0 + (change["amount"] or 0.0)


def heat(run: Run) -> pd.DataFrame:
    """Cells by releases: the ratio to the release before, missing where it was not measured."""
    columns = {}
    for comparison in run.atlas.get("comparisons", []):
        values = {short(cell["cell"]): cell["ratio"] for cell in comparison["cells"]}
        columns[comparison["candidate"]["label"]] = pd.Series(values, dtype=float)
    return pd.DataFrame(columns)


def draw(run: Run, path: Path) -> bool:
    """The heat map; a confirmed change is written out, a change of pixels is a diamond."""
    frame = heat(run)
    if frame.empty:
        return False
    figure = Figure(figsize=(2.6 + 0.9 * len(frame.columns), 1.2 + 0.2 * len(frame)), layout="constrained")
    axis = figure.subplots()
    shades = np.log2(frame.to_numpy(dtype=float))
    reach = float(np.log2(LIMIT))
    image = axis.imshow(shades, cmap="RdYlGn_r", vmin=-reach, vmax=reach, aspect="auto")
    axis.set_xticks(range(len(frame.columns)), frame.columns, fontsize=7)
    axis.set_yticks(range(len(frame)), frame.index, fontsize=6)
    for column, comparison in enumerate(run.atlas["comparisons"]):
        _marks(axis, column, list(frame.index), comparison)
    bar = figure.colorbar(image, ax=axis, ticks=[-reach, 0, reach])
    bar.ax.set_yticklabels([f"{1 / LIMIT:g}", "1", f"{LIMIT:g}"], fontsize=7)
    axis.set_title("time / that of the release before; diamonds: pixels changed", fontsize=8)
    save(figure, path, dpi=130)
    return True


def _marks(axis: Any, column: int, names: list[str], comparison: Record) -> None:
    for cell in comparison["cells"]:
        row = names.index(short(cell["cell"]))
        if cell["verdict"] in SHOWN:
            axis.text(column, row, f"{cell['ratio']:.2f}", ha="center", va="center", fontsize=6)
        if (cell["pixels"] or {}).get("status") == CHANGED:
            axis.plot(column - 0.38, row, "D", color="black", markersize=3)


FIGURES: Mapping[str, Drawing] = {"atlas": Drawing("Every cell's time against the release before", draw)}
