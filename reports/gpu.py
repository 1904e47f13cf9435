"""The section on the GPU: enqueue, device and latency times, what bounds a cell, the roofline, the GPU's state."""

from functools import partial
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from upbench.bench.cells import COPY
from upbench.reports import cuda_row, families, numbers, theme
from upbench.reports.report import Report
from upbench.reports.theme import MARKERS, Theme
from upbench.reports.words import Block, Cell, Picture, Rich, cell, code, fold, heading, listed, paragraph, table

FOLDS = 4  # tables on the markdown page
STEADY = 0.01  # device-bound cells are expected to repeat within this

NOTE = (
    "Enqueue: the host's time to launch a call. Device: the device's own time for it, by events round a replayed CUDA"
    " graph (or, where how says so, behind a spin kernel: queue; gaps has launch gaps in it), cold: neither input nor"
    " output in L2; hot: the same ones each time. Tables and shares use cold. Latency: one call on an idle device,"
    " until its result is there. A call is bound by its launch when enqueue takes longer than the device does, by the"
    " device otherwise; waits: the method itself waits for it."
)


def section(report: Report) -> list[Block]:
    """Words on steadiness and gradients, enqueue against device time and the roofline drawn, tables in folds."""
    if "bound" not in report.run.speed:
        return []
    cells = report.run.speed[report.run.speed["bound"].notna()]
    if cells.empty:
        return []
    return [
        heading("On the GPU"),
        *words(cells),
        *_figures(report, cells),
        *_tables(report, cells),
        *fold("What the columns mean", [paragraph(NOTE)]),
    ]


def words(cells: pd.DataFrame) -> list[Block]:
    """What was not watched, how steady the device's times are, and which gradients vary."""
    return [*_no_telemetry(cells), *_repetitions(cells), *_gradients(cells)]


def _no_telemetry(cells: pd.DataFrame) -> list[Block]:
    reasons = [reason for reason in dict.fromkeys(cells["telemetry_reason"]) if reason]
    return [paragraph("Clock, temperature and power were not watched: {}.", "; ".join(reasons))] if reasons else []


def _repetitions(cells: pd.DataFrame) -> list[Block]:
    """How much the rounds of the cells that the device bounds differ."""
    bound = cells[cells["bound"] == cuda_row.DEVICE]
    if bound.empty:
        return []
    widest = bound.loc[bound["spread"].idxmax()]
    return [
        paragraph(
            "Repetitions of the {} device-bound cells spread (interquartile range over median) by {} in the median, {}"
            " of them by less than {}; the widest is {} on {}, {}.",
            len(bound),
            f"{bound['spread'].median():.2%}",
            int((bound["spread"] < STEADY).sum()),
            f"{STEADY:.0%}",
            code(widest["method"]),
            str(widest["workload"]),
            f"{widest['spread']:.2%}",
        )
    ]


def _gradients(cells: pd.DataFrame) -> list[Block]:
    asked = cells[cells["gradients"] != ""]
    if asked.empty:
        return []
    varying = dict.fromkeys(asked.loc[asked["gradients"] != "repeat", "method"])
    return [
        paragraph(
            "Gradients vary: some of several backward passes on the same input differ in their bits; repeat: none does;"
            " refused: under {} torch declines the pass. Not deterministic here: {}.",
            code("torch.use_deterministic_algorithms(True)"),
            listed(code(name) for name in varying) if varying else "none",
        )
    ]


def _figures(report: Report, cells: pd.DataFrame) -> list[Block]:
    methods = cells[cells["method"] != COPY]
    alt = (
        f"Two panels of {len(methods)} cells: the host's time to launch against the device's own, and bytes a second"
        " against the bytes of a call, with the bandwidth of a copy as a roof"
    )
    rates = report.run.bandwidth
    on_cuda = rates[rates["device"].astype(str).str.startswith("cuda")]
    roof = float(on_cuda[COPY].iloc[0]) if len(on_cuda) else None
    return [Picture("gpu", alt, partial(_draw, methods, roof))]


def _draw(cells: pd.DataFrame, roof: float | None, colours: Theme) -> Figure:
    """Left: enqueue against device time, equal on the diagonal. Right: the roofline of memory; hot faint, cold full.

    All marks of a family are one artist: a thousand cells take as long as ten.
    """
    figure = theme.figure(4.1)
    left = theme.axes(figure, 0.7, 0.72, 3.3, 2.85)
    right = theme.axes(figure, 4.85, 0.72, 3.35, 2.85)
    for family, rows in cells.groupby(cells["method"].map(str).map(families.of), sort=False):
        style: dict[str, Any] = {"marker": MARKERS[family], "color": colours.families[family], "linewidths": 0}
        left.scatter(rows["seconds"], rows["enqueue_seconds"], 22, **style)
        right.scatter(rows["bytes"], rows["bytes"] / rows["hot_seconds"] / 1e9, 14, alpha=0.35, **style)
        right.scatter(rows["bytes"], rows["bytes"] / rows["seconds"] / 1e9, 22, **style)
    ends = [min(left.get_xlim()[0], left.get_ylim()[0]), max(left.get_xlim()[1], left.get_ylim()[1])]
    ends[0] = max(ends[0], 1e-7)
    left.set(xscale="log", yscale="log")
    left.plot(ends, ends, ":", color=colours.muted, linewidth=1.2)
    left.set(xlabel="device time, cold (log)", ylabel="enqueue time (log)")
    left.set_title("launch above, device below the line", pad=8)
    for axis in (left.xaxis, left.yaxis):
        axis.set_major_formatter(FuncFormatter(theme.duration))
    right.set(xscale="log", yscale="log", xlabel="bytes of input and output (log)", ylabel="GB/s (log)")
    right.set_title("bytes a second: cold full, hot faint", pad=8)
    if roof:
        right.axhline(roof / 1e9, color=colours.muted, linewidth=1.2)
        right.annotate(
            f"a copy, {roof / 1e9:.3g} GB/s",
            (0.02, roof / 1e9),
            (0, 3),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            fontsize=theme.SMALL,
            color=colours.muted,
        )
    for axis in (left, right):
        axis.grid(alpha=0.6)
    theme.legend(figure, colours, {families.of(str(name)) for name in cells["method"]})
    return figure


def _tables(report: Report, cells: pd.DataFrame) -> list[Block]:
    """A fold a workload and scale; those beyond the first few in the HTML edition only."""
    blocks: list[Block] = []
    for (workload, scale), rows in cells.groupby(["workload", "scale"], sort=False):
        blocks += fold(f"{report.title(workload)}, ×{scale}, on the GPU", [_table(rows)])
    return [*blocks[:FOLDS], *([Rich(tuple(blocks[FOLDS:]))] if blocks[FOLDS:] else [])]


def _table(rows: pd.DataFrame) -> Block:
    """One workload's cells, fastest (cold) first."""
    rows = rows.sort_values("seconds", kind="stable")
    varying = [a for a in ("device", "dtype", "memory_format", "mode", "step") if rows[a].nunique() > 1]
    watched, graded = "sm_mhz" in rows, bool((rows["gradients"] != "").any())
    titles = ["method", *(a.replace("_", " ") for a in varying), "enqueue (µs)", "device cold (µs)", "device hot (µs)"]
    titles += ["latency (µs)", "bound by", "of light", "spread", *(["gradients"] if graded else []), "peak (MiB)"]
    titles += [*(["SM (MHz)", "max °C", "W", "throttled"] if watched else []), "how"]
    out = []
    for row in rows.to_dict("records"):
        times = [_micro(row[name]) for name in ("enqueue_seconds", "seconds", "hot_seconds", "latency_seconds")]
        light = row["light_share"]
        state = (
            [*(_whole(row[name]) for name in ("sm_mhz", "celsius", "watts")), _said(row["throttled"])]
            if watched
            else []
        )
        out.append(
            [
                code(row["method"]),
                *(str(row[a]) for a in varying),
                *times,
                str(row["bound"]),
                f"{light:.1%}" if light == light else "",
                f"{row['spread']:.2%}",
                *([str(row["gradients"])] if graded else []),
                numbers.significant(row["peak_bytes"] / 2**20),
                *state,
                str(row["how"]),
            ]
        )
    style = "l" + "l" * len(varying) + "rrrrlrr" + ("l" if graded else "") + "r" + ("rrrl" if watched else "") + "l"
    return table(titles, out, style, search=True)


def _micro(value: float) -> Cell:
    return cell(numbers.significant(value * 1e6), value)


def _whole(value: Any) -> str:
    return f"{value:.0f}" if value == value else ""


def _said(value: Any) -> str:
    return value if isinstance(value, str) else ""
