"""What a mean PSNR hides: images that are shifted, stretched, brightened or chequered; the frequency response."""

from functools import partial
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from upbench.bench.cells import PLAIN
from upbench.reports import families, places, theme
from upbench.reports.report import Report
from upbench.reports.theme import Theme
from upbench.reports.words import Block, Cell, Picture, Rich, cell, code, fold, heading, paragraph, table

COLUMNS = {
    "shift_pixels": "shift (px)",
    "stretch_pixels": "stretch (px)",
    "gain": "gain",
    "checkerboard": "checkerboard",
    "overshoot": "overshoot",
    "jaggedness_pixels": "jaggedness (px)",
    "edge_width_pixels": "edge width (px)",
}
ORDINARY = {
    "shift_pixels": (0.0, 0.05),
    "stretch_pixels": (0.0, 0.05),
    "gain": (1.0, 0.01),
    "checkerboard": (0.0, 0.01),
}
MOST = 12
SAME_GAIN = 0.02
LINES = 12


def section(report: Report) -> list[Block]:
    """Only what leaves the ordinary is shown; every image in a fold."""
    rows = _rows(report)
    if rows.empty:
        return []
    odd = rows[[_odd(row) for row in rows.to_dict("records")]]
    note = (
        "Synthetic targets, lengths in high-resolution pixels. Shift: how far the image moves; stretch: how much"
        " farther at one end than at the other; gain: output over input of a constant; checkerboard: how unevenly a"
        " constant comes out between neighbours."
    )
    blocks: list[Block] = [heading("What a mean PSNR hides")]
    if odd.empty:
        blocks.append(paragraph("Nothing here shifts, stretches, brightens or chequers an image."))
    else:
        blocks.append(paragraph("{} of {} images leave the ordinary. {}", len(odd), len(rows), note))
        blocks.append(_table(odd[:MOST], list(ORDINARY)))
    more = (
        "Overshoot: how far a black-to-white edge leaves [0, 1]. Jaggedness: how far a slanted edge strays from a"
        " straight line (root mean square); edge width: from 10 % to 90 %. Empty: the method draws no edge."
    )
    shown = [name for name in COLUMNS if rows[name].nunique() > 1]
    blocks.append(Rich(tuple(fold("Every image on synthetic targets", [paragraph(more), _table(rows, shown)]))))
    return [*blocks, *_response(report)]


def _rows(report: Report) -> pd.DataFrame:
    """One row an image at the smallest scale, in the survey's order."""
    found = report.run.diagnostics
    if found.empty or not (found["status"] == "ok").any():
        return pd.DataFrame()
    ok = found[found["status"] == "ok"]
    here = ok[ok["scale"] == ok["scale"].min()]
    by_name = {str(row["method"]): row for row in here.to_dict("records")}
    rows, taken = [], set()
    for image in report.survey.images:
        name = next((n.name for n in image.names if n.name in by_name), None)
        taken |= {n.name for n in image.names}
        if name:
            rows.append(by_name[name] | {"image": image.title})
    rows += [row | {"image": name} for name, row in by_name.items() if name not in taken]
    return pd.DataFrame(rows)


def _odd(row: dict[str, Any]) -> bool:
    return any(not abs(row[name] - usual) <= limit for name, (usual, limit) in ORDINARY.items())


def _table(rows: pd.DataFrame, columns: list[str]) -> Block:
    cells = [[code(row["image"]), *(_figure(row[name]) for name in columns)] for row in rows.to_dict("records")]
    return table(["image", *(COLUMNS[name] for name in columns)], cells, "l" + "r" * len(columns), search=True)


def _figure(value: float) -> Cell:
    if pd.isna(value):
        return cell(None)
    said = f"{value:.3f}".replace("-", "−")
    return cell(said.removeprefix("−") if said.strip("−0.") == "" else said, float(value))


def _response(report: Report) -> list[Block]:
    groups = _groups(report)
    if not groups:
        return []
    named = ", ".join(names[0] for names, _ in groups)
    alt = f"Gain against frequency, one line a group: {named}. One keeps a detail as it is, zero removes it"
    shown = Picture("response", alt, partial(_draw, groups))
    others = [f"{names[0]}: {', '.join(names[1:])}" for names, _ in groups if len(names) > 1]
    blocks: list[Block] = [
        shown,
        *([paragraph("Lines that lie on each other: {}.", "; ".join(others))] if others else []),
    ]
    return fold("How much of each frequency survives", blocks)


Group = tuple[list[str], "pd.Series[float]"]


def _groups(report: Report) -> list[Group]:
    """Images whose gains differ by no more than `SAME_GAIN`, together; those of the first lines only."""
    found = report.run.response
    if found.empty:
        return []
    wide = found[found["scale"] == found["scale"].min()].pivot_table(index="frequency", columns="method", values="gain")
    groups: list[Group] = []
    front = [image for name in report.fronts for group in report.survey.front(name) for image in group]
    plain = [image for image in report.survey.images if image.title in PLAIN]
    for image in dict.fromkeys([*plain, *front, *report.survey.images]):
        name = next((n.name for n in image.names if n.name in wide), None)
        if name is None or (wide[name] - 1).abs().min() > 0.5:
            continue
        same = next((group for group in groups if (group[1] - wide[name]).abs().max() <= SAME_GAIN), None)
        if same is None:
            groups.append(([image.title], wide[name]))
        else:
            same[0].append(image.title)
    return groups[:LINES]


def _draw(groups: list[Group], colours: Theme) -> Figure:
    """One line a group, its name at the line's end."""
    figure = theme.figure(4.2)
    axis = theme.axes(figure, 0.45, 0.15, 5.9, 3.5)
    ends = []
    styles: dict[str, int] = {}
    for names, gains in groups:
        family = families.of(names[0])
        number = styles[family] = styles.get(family, -1) + 1
        dash = ("-", (0, (5, 2)), (0, (1, 1)), (0, (6, 2, 1, 2)))[number % 4]
        axis.plot(gains.index, gains, color=colours.families[family], linestyle=dash, linewidth=1.5)
        ends.append((float(gains.iloc[-1]), names[0] + (f" +{len(names) - 1}" if len(names) > 1 else ""), family))
    top = max(1.2, max(float(gains.max()) for _, gains in groups) * 1.03)
    last = float(groups[0][1].index[-1])
    axis.set(xlim=(0, last), ylim=(0, min(top, 1.8)))
    axis.axhline(1, color=colours.rule, linewidth=0.8)
    axis.grid(axis="y")
    axis.set_xlabel("frequency (cycles per low-resolution pixel; 0.5 is the finest it can hold)")
    axis.set_ylabel("gain: 1 keeps a detail as it is")
    _labels(axis, ends, last, colours)
    return figure


def _labels(axis: Any, ends: list[tuple[float, str, str]], last: float, colours: Theme) -> None:
    """Names at the right, each as near to its line as its neighbours allow."""
    low, high = axis.get_ylim()
    step = (high - low) / 19
    ordered = sorted(ends)
    spread = places.apart([min(max(value, low), high) for value, *_ in ordered], step, low, high)
    for (value, name, family), place in zip(ordered, spread, strict=True):
        axis.annotate(
            name,
            (last, min(max(value, low), high)),
            (last * 1.06, place),
            va="center",
            fontsize=theme.SMALL,
            color=colours.families[family],
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colours.rule, "linewidth": 0.7, "shrinkA": 1, "shrinkB": 0}
            | {"relpos": (0, 0.5)},
        )
