"""The report's sections on quality: the figures, what a mean hides, and which names give the same pixels."""

from upbench.reports import advice, tables
from upbench.reports.frame import Run

SHIFTED = 0.05  # high-resolution pixels: less than this no comparison feels


def section(run: Run) -> str:
    """A table for each degradation, scale and dtype, and what a dtype costs; empty if nothing was measured."""
    if run.quality.empty:
        return ""
    parts = ["## Quality"]
    for (degradation, scale, dtype), rows in run.quality.groupby(["degradation", "scale", "dtype"], sort=False):
        table = tables.quality_by(rows, run.comparisons, _shifted(run, scale))
        if len(table):
            kind = "" if dtype == "float32" else f", {dtype}"
            rendered = tables.markdown(table, tables.QUALITY_FORMATS, tables.QUALITY_BEST)
            parts.append(f"### {degradation}, x{scale}{kind}\n\n{_shift_note(degradation)}{rendered}")
    dtypes = tables.dtype_costs(run.quality)
    if len(dtypes):
        note = "PSNR against float32, mean over the methods that have both, and the largest loss of one."
        parts.append(f"### What a dtype costs\n\n{note}\n\n{tables.markdown(dtypes, tables.DTYPE_FORMATS)}")
    return "\n\n".join(parts)


def diagnosis(run: Run, response: str) -> str:
    """Shift, gain, overshoot and so on; `response` is the markdown of the frequency response's figure."""
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
    return f"## What a mean PSNR hides\n\n{note}\n\n{table}\n\n{response}"


def same_pixels(run: Run) -> str:
    """For each workload, the names that give the same pixels, and the fastest of them."""
    parts = []
    for workload in dict.fromkeys(tables.main_speed(run.speed)["workload"]) if len(run.speed) else ():
        table = advice.faster_names(advice.candidates(run.quality, run.speed, workload))
        if len(table):
            parts.append(f"### {workload}\n\n{tables.markdown(table, {'time (ms)': '.3g'})}")
    note = (
        "Methods whose outputs differ by no more than a quarter of an 8-bit level at any pixel of the probe images."
        " Take the fastest: nobody will see a difference."
    )
    return "\n\n".join(["## The same pixels", note, *parts]) if parts else ""


def _shifted(run: Run, scale: int) -> dict[str, float]:
    """Methods that move or stretch the image by more than a visible share of a pixel, and by how much."""
    if run.diagnostics.empty:
        return {}
    here = run.diagnostics[(run.diagnostics["scale"] == scale) & (run.diagnostics["status"] == "ok")]
    moved = (here["shift_pixels"].abs() + here["stretch_pixels"].abs()).set_axis(here["method"])
    found: dict[str, float] = moved[moved > SHIFTED].to_dict()
    return found


def _shift_note(degradation: str) -> str:
    if not degradation.startswith("nearest"):
        return ""
    return (
        "Decimation shifts the low-resolution image against the original, which favours methods that shift it"
        " back: compare within this table only.\n\n"
    )
