"""What a mean PSNR hides: shift, gain, overshoot and so on, and the frequency response."""

import itertools
from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from upbench.bench.cells import PLAIN
from upbench.reports import tables
from upbench.reports.figures import Drawing, Drawn, linked, save
from upbench.reports.frame import Run
from upbench.reports.pictures import label as group_label

MAX_LINES = 16
SAME_GAIN = 0.02


def section(run: Run, drawn: Drawn) -> str:
    """Shift, gain, overshoot and so on; the frequency response."""
    if run.diagnostics.empty:
        return ""
    kept = run.diagnostics[run.diagnostics["status"] == "ok"].drop(columns=["status", "reason"])
    names = {
        "shift_pixels": "shift (px)",
        "stretch_pixels": "stretch (px)",
        "jaggedness_pixels": "jaggedness (px)",
        "edge_width_pixels": "edge width (px)",
    }
    formats = dict.fromkeys(["gain", "overshoot", "checkerboard", *names.values()], ".3f")
    note = (
        "Measured on synthetic targets, lengths in high-resolution pixels. Shift: how far the image moves; stretch: how"
        " much farther at one end than at the other (aligned corners). Gain: output over input of a constant."
        " Checkerboard: how unevenly a constant comes out between neighbours. Overshoot: how far a black-to-white edge"
        " leaves [0, 1]. Jaggedness: how far a slanted edge strays from a straight line (root mean square); edge width:"
        " from 10 % to 90 %. An empty cell: the method draws no edge."
    )
    table = tables.markdown(kept.rename(columns=names), formats)
    return f"## What a mean PSNR hides\n\n{note}\n\n{table}\n\n{linked(FIGURES, 'response', drawn)}"


def response(run: Run, path: Path) -> bool:
    """Gain against frequency, one line for each group of methods that share it, at the smallest scale."""
    if run.response.empty:
        return False
    smallest = run.response[run.response["scale"] == run.response["scale"].min()]
    wide = smallest.pivot_table(index="frequency", columns="method", values="gain")
    figure = Figure(figsize=(9, 5), layout="constrained")
    axis = figure.subplots()
    styles = itertools.product(("-", "--"), mpl.color_sequences["tab10"])
    for names, (line, colour) in zip(_same_columns(wide)[:MAX_LINES], styles, strict=False):
        label = group_label(names).replace("\n", " ")
        axis.plot(wide.index, wide[names[0]], line, color=colour, linewidth=1.2, label=label)
    axis.axhline(1, color="black", linewidth=0.6)
    axis.set(
        xlabel="frequency (cycles per low-resolution pixel; 0.5 is the finest it can hold)",
        ylabel="gain",
        ylim=(0, 1.6),
        title=f"Frequency response, x{smallest['scale'].iloc[0]}: 1 keeps a detail as it is",
    )
    axis.grid(alpha=0.3)
    figure.legend(fontsize=7, loc="outside right upper")
    save(figure, path, dpi=120)
    return True


def _same_columns(wide: pd.DataFrame) -> list[list[str]]:
    """Methods whose gains differ by no more than `SAME_GAIN` anywhere, together, torch's plain names first."""
    together: list[list[str]] = []
    for name in sorted(wide, key=lambda name: (name not in PLAIN, name)):
        same = next((names for names in together if (wide[names[0]] - wide[name]).abs().max() <= SAME_GAIN), None)
        if same is None:
            together.append([name])
        else:
            same.append(name)
    return together


FIGURES: Mapping[str, Drawing] = {"response": Drawing("Gain of every method against frequency", response)}
