"""The report's sections on quality: the figures of every method, and what a dtype costs."""

from upbench.reports import tables
from upbench.reports.figures import Drawn
from upbench.reports.frame import Run

SHIFTED = 0.05  # high-resolution pixels: less than this no comparison feels


def section(run: Run, drawn: Drawn) -> str:
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
