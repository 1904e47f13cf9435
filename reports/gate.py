"""The report's section about torch versions: what changed, a table by severity, a forest plot of ratios."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from upbench.bench.gate import advice, edge_words
from upbench.bench.gate.outcome import by_severity, counts, memory_ratio, title
from upbench.bench.gate.pixels import CHANGED
from upbench.reports.figures import Drawing, Drawn, linked, save
from upbench.reports.frame import Run
from upbench.reports.tables import markdown

Record = dict[str, Any]

COLOURS = {"SLOWER": "tab:red", "FASTER": "tab:green", "SAME": "0.45", "UNRESOLVED": "tab:orange"}
FORMATS = {"time": ".3f", "noise floor": ".1%", "instructions": ".4f", "pairs": ".0f", "faults": ".1f"}


def section(run: Run, drawn: Drawn) -> str:
    """Markdown about every comparison; empty where no interval was measured."""
    if "versions" not in drawn:
        return ""
    parts = ["## Torch versions", PREFACE]
    for comparison in run.versions:
        parts += [f"### {title(comparison)}", _outcome(comparison), markdown(table(comparison), FORMATS)]
    return "\n\n".join([*parts, linked(FIGURES, "versions", drawn)])


PREFACE = (
    "Time is the candidate's over the baseline's (above 1 is slower), with a 95 % interval over pairs of fresh"
    " processes. SLOWER and FASTER are beyond the threshold and confirmed by pairs that did not flag them; SAME"
    " lies wholly within it; UNRESOLVED neither; BIMODAL falls into two groups. The noise floor is half that"
    " interval. Pixels are compared on one image given to both."
)


def _outcome(comparison: Record) -> str:
    found, settings = counts(comparison), comparison["settings"]
    said = ", ".join(f"{number} {name}" for name, number in found.items() if number and name != CHANGED)
    lines = [
        f"{said or 'No cells'}; pixels changed in {found[CHANGED]}. Threshold {settings['threshold']:.1%},"
        f" {comparison['rounds']} pairs of processes, {comparison['spent']:.0f} s."
    ]
    if comparison["planted"]:
        planted = ", ".join(f"{method} x{factor:g}" for method, factor in comparison["planted"].items())
        lines.insert(0, f"**PLANTED: the candidate was made to do more work in {planted}. Not a real difference.**")
    if comparison["same"]:
        lines.append("Both sides are the same environment: every difference here is noise.")
    for side in ("baseline", "candidate"):
        if comparison[side]["torchvision"] is None:
            lines.append(f"No torchvision for the {side}: {comparison[side]['torchvision_reason']}.")
    return "\n\n".join([*lines, *_differing(comparison), *_edges(comparison), *_host(comparison)])


def _differing(comparison: Record) -> list[str]:
    """Packages that are of another version beside those that the two labels name."""
    named = " ".join(comparison[side]["label"] for side in ("baseline", "candidate"))
    differing = comparison.get("differing", {})
    others = [f"{name} {one or 'absent'} -> {other or 'absent'}" for name, (one, other) in differing.items()]
    others = [text for text in others if text.split()[0] not in (*named.replace("==", " ").split(), "torch")]
    return [f"Other packages differ too: {', '.join(others)}."] if others else []


def _edges(comparison: Record) -> list[str]:
    """What became of the pixels at the edges of the space of shapes, for methods with something to tell."""
    told = [
        edge_words.sentence(name, found)
        for name, found in comparison.get("edges", {}).items()
        if edge_words.unlike(found)
    ]
    if not told:
        return ["Pixels at the edges of the space of shapes: no case differs."] if comparison.get("edges") else []
    return ["\n".join(["Pixels at the edges of the space of shapes:", "", *(f"- {text}" for text in told)])]


def _host(comparison: Record) -> list[str]:
    host = comparison["candidate"]["host"]
    if not host:
        return []
    allocator = ", ".join(f"{name}={value}" for name, value in host["allocator"].items())
    return [f"Host: {host['cpu']}, {host['cores']} cores; allocator: {allocator or 'as the system has it'}."]


def table(comparison: Record) -> pd.DataFrame:
    """One row a cell, worst first; a missing number is empty, a column that is empty throughout is left out."""
    frame = pd.DataFrame([_row(cell) for cell in by_severity(comparison)])
    return frame[[name for name in frame if (frame[name].notna() & (frame[name] != "")).any()]]


def _row(cell: Record) -> Record:
    measured = cell["ratio"] is not None
    memory = memory_ratio(cell)
    return {
        "cell": short(cell["cell"]) + (" (PLANTED)" if cell["planted"] != 1 else ""),
        "verdict": f"**{cell['verdict']}**" if cell["verdict"] in ("SLOWER", "FAILED") else cell["verdict"],
        "time": cell["ratio"],
        "95 %": f"{cell['low']:.3f} to {cell['high']:.3f}" if measured else "",
        "noise floor": cell["floor"],
        "pairs": cell["pairs"],
        "pixels": _pixels(cell),
        "peak memory": "" if memory is None else "same" if memory == 1 else f"{memory:.2f}",
        "instructions": cell.get("instructions", {}).get("ratio"),
        "remark": "; ".join(filter(None, [cell["reason"], advice.sentence(cell["next"]) if cell.get("next") else ""])),
    }


def short(name: str) -> str:
    """A cell's name without the axes that have their usual values."""
    usual = ("cpu", "float32", "contiguous", "eager", "forward", "1t")
    first, rest = name.split("/")[:3], name.split("/")[3:]
    return "/".join(first + [part for part, plain in zip(rest, usual, strict=True) if part != plain])


def _pixels(cell: Record) -> str:
    pixels = cell["pixels"]
    if not pixels or pixels["status"] == "identical":
        return pixels["status"] if pixels else ""
    if pixels["status"] != CHANGED:
        return f"within rounding ({pixels['ulps']:.1f} ULP)"
    said = (
        f"**CHANGED** by up to {pixels['largest']:.2g}, {pixels['steps']} 8-bit steps in"
        f" {pixels['share']:.1%}, {pixels['psnr_change_db']:+.3f} dB"
    )
    return f"{said}; faster because different" if cell["verdict"] == "FASTER" else said


def forest(run: Run, path: Path) -> bool:
    """A panel a comparison: every cell's ratio with its interval, the threshold shaded, worst on top."""
    drawn = [(each, [cell for cell in by_severity(each) if cell["ratio"] is not None]) for each in run.versions]
    drawn = [(comparison, cells) for comparison, cells in drawn if cells]
    if not drawn:
        return False
    rows = max(len(cells) for _, cells in drawn)
    figure = Figure(figsize=(6.5 * len(drawn), 1.4 + 0.22 * rows), layout="constrained")
    for axis, (comparison, cells) in zip(figure.subplots(1, len(drawn), squeeze=False)[0], drawn, strict=True):
        _panel(axis, comparison, cells)
    save(figure, path, dpi=120)
    return True


def _panel(axis: Any, comparison: Record, cells: list[Record]) -> None:
    threshold = comparison["settings"]["threshold"]
    axis.axvspan(1 / (1 + threshold), 1 + threshold, color="0.92", label=f"threshold {threshold:.1%}")
    axis.axvline(1, color="0.6", linewidth=0.8)
    for place, cell in enumerate(cells):
        colour = COLOURS.get(cell["verdict"], "tab:purple")
        marker = "D" if (cell["pixels"] or {}).get("status") == CHANGED else "o"
        axis.plot([cell["low"], cell["high"]], [place, place], color=colour, linewidth=1.5)
        axis.plot(cell["ratio"], place, marker, color=colour, markersize=5)
    names = [short(cell["cell"]) + (" PLANTED" if cell["planted"] != 1 else "") for cell in cells]
    axis.set_yticks(range(len(cells)), names, fontsize=7)
    axis.invert_yaxis()
    lows, highs = [cell["low"] for cell in cells], [cell["high"] for cell in cells]
    axis.set_xscale("log")
    axis.set_xlim(max(0.1, min(*lows, 0.9)) * 0.98, min(10, max(*highs, 1.1)) * 1.02)
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_formatter("{x:g}")
    axis.tick_params(axis="x", which="both", labelsize=7)
    axis.set_xlabel("candidate's time / baseline's; diamonds: pixels changed")
    axis.set_title(title(comparison), fontsize=9)
    axis.grid(axis="x", which="both", alpha=0.3)


FIGURES: Mapping[str, Drawing] = {"versions": Drawing("Ratios of time with their intervals", forest)}
