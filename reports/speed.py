"""What a call costs: times, throughput, and shares of a plain copy and of light."""

from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure

from upbench.reports import tables
from upbench.reports.figures import Drawing, Drawn, linked, save
from upbench.reports.frame import Run
from upbench.reports.tables import main_speed


def section(run: Run, drawn: Drawn) -> str:
    """A table a workload and scale; empty if nothing was timed."""
    if run.speed.empty:
        return ""
    parts = [
        "## Speed",
        "Median time of a call over blocks of at least 2 ms; spread is the interquartile range over the median;"
        " megapixels are output pixels, channels not counted; *of copy speed* is the time of a plain copy of the"
        " output over the method's time.",
        *filter(None, [_light(run)]),
        linked(FIGURES, "speed", drawn),
    ]
    for (workload, scale), cells in run.speed.groupby(["workload", "scale"], sort=False):
        table = tables.markdown(tables.speed_by(cells), tables.SPEED_FORMATS)
        parts.append(f"### {workload}, x{scale}\n\n{table}")
    return "\n\n".join(parts)


def _light(run: Run) -> str:
    """The yardsticks, in words."""
    lines = [
        f"On {row['device']} with {row['threads']} CPU thread(s), a copy far beyond the caches moves"
        f" {row['copy'] / 1e9:.4g} GB/s (read and written), a write alone {row['write'] / 1e9:.4g} GB/s."
        for _, row in run.bandwidth.iterrows()
    ]
    meaning = (
        "*Of light* is the least time in which the method's input and output could move at the copy's bandwidth,"
        " over its time; above 100 % the data stayed in a cache."
    )
    return " ".join([*lines, meaning]) if lines else ""


def bars(run: Run, path: Path) -> bool:
    """Time of each method on each workload, with its quartiles, and the plain copy as a line."""
    speed = main_speed(run.speed)
    if speed.empty:
        return False
    names = list(dict.fromkeys(speed["workload"]))
    height = 1.2 + 0.24 * speed.groupby("workload").size().max()
    figure = Figure(figsize=(5.5 * len(names), height), layout="constrained")
    for axis, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        cells = speed[speed["workload"] == name].sort_values("seconds", ascending=False)
        milliseconds = cells["seconds"] * 1e3
        axis.barh(
            cells["method"],
            milliseconds,
            xerr=milliseconds * cells["spread"] / 2,
            color="tab:blue",
            alpha=0.8,
        )
        copy = cells["copy_seconds"].dropna()
        if len(copy):
            axis.axvline(copy.iloc[0] * 1e3, color="black", linewidth=1, label="plain copy of the output")
            axis.legend(fontsize=7, loc="lower right")
        axis.set(xscale="log", xlabel="milliseconds, log scale", title=f"{name}, x{cells['scale'].iloc[0]}")
        axis.tick_params(labelsize=8)
        axis.margins(y=0.01)
    save(figure, path, dpi=120)
    return True


FIGURES: Mapping[str, Drawing] = {"speed": Drawing("Time of every method, with its quartiles", bars)}
