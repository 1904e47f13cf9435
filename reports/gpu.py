"""The report's section on the GPU: enqueue, device and latency times, what bounds a cell, the GPU's state meanwhile."""

import pandas as pd

from upbench.reports import cuda_row, tables
from upbench.reports.figures import Drawn
from upbench.reports.frame import Run

STEADY = 0.01  # device-bound cells are expected to repeat within this

FORMATS = {
    "enqueue (us)": ".3g",
    "device cold (us)": ".4g",
    "device hot (us)": ".4g",
    "latency (us)": ".4g",
    "of light": ".1%",
    "spread": ".2%",
    "peak (MiB)": ".4g",
    "SM (MHz)": ".0f",
    "max C": ".0f",
    "W": ".0f",
}


def section(run: Run, drawn: Drawn) -> str:
    """The report's section; empty where no cell was measured on a GPU."""
    return words(run.speed)


def words(speed: pd.DataFrame) -> str:
    """The report's section; empty where no cell was measured on a GPU."""
    if "bound" not in speed:
        return ""
    cells = speed[speed["bound"].notna()]
    note = (
        "Enqueue: the host's time to launch a call. Device: the device's own time for it, by events round a replayed"
        " CUDA graph (or, where *how* says so, behind a spin kernel: *queue*; *gaps* has launch gaps in it), cold:"
        " neither input nor output in L2; hot: the same ones each time. Headline, tables and shares use cold."
        " Latency: one call on an idle device, until its result is there. A call is bound by its *launch* when enqueue"
        " takes longer than the device does, by the *device* otherwise; *waits*: the method itself waits for it."
    )
    parts = ["## On the GPU", note, *_no_telemetry(cells), *_repetitions(cells), *_gradients(cells)]
    for (workload, scale), rows in cells.groupby(["workload", "scale"], sort=False):
        parts.append(f"### {workload}, x{scale}, on the GPU\n\n{tables.markdown(table(rows), FORMATS)}")
    return "\n\n".join(parts)


def _no_telemetry(cells: pd.DataFrame) -> list[str]:
    reasons = [reason for reason in dict.fromkeys(cells["telemetry_reason"]) if reason]
    return [f"Clock, temperature and power were not watched: {'; '.join(reasons)}."] if reasons else []


def _repetitions(cells: pd.DataFrame) -> list[str]:
    """How much the rounds of the cells that the device bounds differ."""
    bound = cells[cells["bound"] == cuda_row.DEVICE]
    if bound.empty:
        return []
    widest = bound.loc[bound["spread"].idxmax()]
    return [
        f"Repetitions of the {len(bound)} device-bound cells spread (interquartile range over median) by"
        f" {bound['spread'].median():.2%} in the median, {(bound['spread'] < STEADY).sum()} of them by less than"
        f" {STEADY:.0%}; the widest is {widest['method']} on {widest['workload']}, {widest['spread']:.2%}."
    ]


def _gradients(cells: pd.DataFrame) -> list[str]:
    asked = cells[cells["gradients"] != ""]
    if asked.empty:
        return []
    return [
        "Gradients *vary*: some of several backward passes on the same input differ in their bits; *repeat*: none does;"
        " *refused*: under `torch.use_deterministic_algorithms(True)` torch declines the pass. Not deterministic here: "
        + (", ".join(dict.fromkeys(asked.loc[asked["gradients"] != "repeat", "method"])) or "none")
        + "."
    ]


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """One workload's cells, fastest (cold) first."""
    rows = rows.sort_values("seconds", kind="stable")
    varying = [a for a in ("device", "dtype", "memory_format", "mode", "step") if rows[a].nunique() > 1]
    out = rows[["method", *varying]].copy()
    out["enqueue (us)"] = rows["enqueue_seconds"] * 1e6
    out["device cold (us)"] = rows["seconds"] * 1e6
    out["device hot (us)"] = rows["hot_seconds"] * 1e6
    out["latency (us)"] = rows["latency_seconds"] * 1e6
    out["bound by"] = rows["bound"]
    out["of light"] = rows["light_share"]
    out["spread"] = rows["spread"]
    if (rows["gradients"] != "").any():
        out["gradients"] = rows["gradients"]
    out["peak (MiB)"] = rows["peak_bytes"] / 2**20
    if "sm_mhz" in rows:
        out = out.assign(**{"SM (MHz)": rows["sm_mhz"], "max C": rows["celsius"], "W": rows["watts"]})
        out["throttled"] = rows["throttled"]
    out["how"] = rows["how"]
    return out
