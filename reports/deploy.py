"""The report's section on deploying: what a method becomes on the roads to production, as `upbench deploy` found it."""

import itertools
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from upbench.bench.cells import PLAIN
from upbench.reports import theme
from upbench.reports.report import Report
from upbench.reports.theme import Theme
from upbench.reports.words import Block, Bullets, Picture, code, fold, heading, paragraph, prose, table

# A verdict's colour in the light theme and in the dark one; those with a sign carry it in the figure too.
COLOURS = {
    "same pixels": ("#b7e1b0", "#1f5f2c"),
    "other pixels": ("#f6dd8f", "#7a5c00"),
    "exported size only": ("#f2b27a", "#8a4b12"),
    "silently wrong elsewhere": ("#e8817f", "#9c2523"),
    "refuses": ("#d9dce0", "#3d444d"),
    "dies or hangs": ("#c5b0dc", "#5d3f86"),
    "not asked": ("#ffffff", "#0d1117"),
}
SIGNS = {"exported size only": "!", "silently wrong elsewhere": "!!", "refuses": "-", "dies or hangs": "x"}
SAME_FINGERPRINT = 1e-5  # of a projection of the eager image: same pixels differ by 1e-7
SHIPPED = ("onnx-dynamic", "onnx", "openvino", "export-dynamic", "compile", "compile-dynamic")
NEEDED = ("method", "scale", "road", "verdict", "reason", "ms_eager", "ms", "steps", "where", "fingerprint")
PACKAGES = ("torch", "onnx", "onnxscript", "onnxruntime", "openvino")
WIDE, NARROW = 2.2, 1.0  # of a road's column, with times and without
WIDEST = 0.4  # inches for one of these
LINE = 0.17  # inches for a method
NOTE = (
    "Each method down each road, in processes of its own, on 256x256 pictures and, where a road promises any size, on"
    " four other sizes; the roads called shapes go where things break: one, two and three pixels, odd sizes, an empty"
    " batch, factors that are not whole. A cell's colour is what came out beside eager torch; the number is the time"
    " there over the time in eager torch, both in processor time with one thread (so it holds on a busy machine). Same"
    " pixels is within 1e-4 of the range; steps are of 8 bits."
)


def read(folder: Path) -> pd.DataFrame:
    """`deploy.csv` with `ratio`, the time there over eager; empty where it is missing or no file of ours."""
    path = folder / "deploy.csv"
    if not path.is_file():
        return pd.DataFrame()
    rows = pd.read_csv(path, keep_default_na=False, na_values=[""])
    if set(NEEDED) - set(rows):
        return pd.DataFrame()
    return rows.assign(ratio=rows["ms"] / rows["ms_eager"], reason=rows["reason"].fillna(""))


def section(report: Report) -> list[Block]:
    """The figure, advice for each road, and what every cell said that is not the same pixels."""
    rows = read(report.run.folder)
    if rows.empty:
        return []
    first = rows[rows["scale"] == rows["scale"].iloc[0]]
    alt = f"{first['method'].nunique()} methods against the roads {', '.join(dict.fromkeys(first['road']))}"
    told = advice(rows)
    return [
        heading("Deploying"),
        paragraph(NOTE),
        Picture("deploy", alt, partial(draw, first)),
        *([Bullets(tuple(prose(line) for line in told))] if told else []),
        *_fronts(first, report.run.quality),
        *warmth(first),
        _counts(rows),
        *_exceptions(rows),
        paragraph("Versions: {}.", _versions(rows)),
    ]


def _counts(rows: pd.DataFrame) -> Block:
    counts = rows.groupby(["road", "verdict"], sort=False).size().unstack(fill_value=0)
    verdicts = [verdict for verdict in COLOURS if verdict in counts]
    lines = [[code(road), *(str(found[verdict]) for verdict in verdicts)] for road, found in counts.iterrows()]
    return table(["road", *verdicts], lines, "l" + "r" * len(verdicts))


def _exceptions(rows: pd.DataFrame) -> list[Block]:
    """Every cell that is not the same pixels, with what was said."""
    chosen = rows[~rows["verdict"].isin(["same pixels", "not asked"])]
    lines = [
        [code(row["method"]), code(row["road"]), row["verdict"], _steps(row), row["reason"]]
        for _, row in chosen.iterrows()
    ]
    titles = ["method", "road", "verdict", "steps of 8 bits", "what was said"]
    return fold(f"{len(lines)} cells with other than the same pixels", [table(titles, lines, "lllrl")] if lines else [])


def _steps(row: "pd.Series[Any]") -> str:
    where = "" if pd.isna(row["where"]) else f" ({row['where']})"
    return "" if pd.isna(row["steps"]) else f"{row['steps']:.0f}{where}"


def _versions(rows: pd.DataFrame) -> str:
    told = [name for name in PACKAGES if name in rows and rows[name].notna().any()]
    return ", ".join(f"{name} {rows[name].dropna().iloc[0]}" for name in told)


def advice(rows: pd.DataFrame) -> list[str]:
    """Per road that ships: the fastest way to the pixels that everybody knows."""
    good = rows[(rows["verdict"] == "same pixels") & rows["ms"].notna() & rows["road"].isin(SHIPPED)]
    return [line for (_, road), there in good.groupby(["scale", "road"], sort=False) for line in _fastest(road, there)]


def _fastest(road: Any, there: pd.DataFrame) -> list[str]:
    lines = []
    for name in PLAIN:
        plain = there[there["method"] == name]
        if plain.empty:
            continue
        alike = there[(there["fingerprint"] - plain["fingerprint"].iloc[0]).abs() < SAME_FINGERPRINT]
        best = alike.loc[alike["ms"].idxmin()]
        times = plain["ms"].iloc[0] / best["ms"]
        if best["method"] != name and times > 1.1:
            lines.append(
                f"`{road}`: for the pixels of `{name}`, `{best['method']}` takes {best['ms']:.3g} ms there,"
                f" `{name}` itself {plain['ms'].iloc[0]:.3g} ms: {times:.1f} times as fast."
            )
    return lines


def fronts(rows: pd.DataFrame, quality: pd.DataFrame) -> dict[str, str]:
    """Per road: what nothing there beats in both time and PSNR, the fastest first."""
    if quality.empty:
        return {}
    first = quality[quality["degradation"] == quality["degradation"].iloc[0]]
    good = rows[(rows["verdict"] == "same pixels") & rows["ms"].notna()]
    known = good.merge(first[["method", "scale", "psnr_db"]].dropna(), on=["method", "scale"]).sort_values("ms")
    return {str(road): _front(known[known["road"] == road]) for road in dict.fromkeys(good["road"]) if len(known)}


def _front(known: pd.DataFrame) -> str:
    front = known[known["psnr_db"] > known["psnr_db"].cummax().shift(fill_value=float("-inf"))]
    return ", ".join(f"`{row['method']}` {row['ms']:.3g} ms {row['psnr_db']:.2f} dB" for _, row in front.iterrows())


def _fronts(rows: pd.DataFrame, quality: pd.DataFrame) -> list[Block]:
    found = fronts(rows, quality)
    if not found:
        return []
    lines = [[code(road), prose(front)] for road, front in found.items() if front]
    titles = ["road", "what nothing there beats in both time and PSNR, the fastest first"]
    return fold("The front of quality and time on each road", [table(titles, lines, "ll")])


def warmth(rows: pd.DataFrame) -> list[Block]:
    """Where an export after a first eager call is another than one before it."""
    kinds = rows.pivot_table(index="method", columns="road", values="verdict", aggfunc="first")
    if not {"export-dynamic", "export-warm"} <= set(kinds):
        return []
    both = kinds[["export-dynamic", "export-warm"]].dropna()
    apart = both[both["export-dynamic"] != both["export-warm"]]
    told = [f"`{name}` ({cold} before, {warm} after)" for name, cold, warm in apart.itertuples()]
    if not told:
        return [paragraph(f"A first eager call changes no export's verdict: {len(both)} methods were asked both ways.")]
    return [Bullets((prose(f"A first eager call changes what is exported: {', '.join(told)}."),))]


def draw(rows: pd.DataFrame, colours: Theme) -> Figure:
    """Methods against roads, coloured by verdict, the time ratio written in; a road without times is narrow."""
    methods = list(dict.fromkeys(rows["method"]))
    timed = rows.groupby("road", sort=False)["ratio"].any()
    widths = {str(road): WIDE if has_times else NARROW for road, has_times in timed.items()}
    lefts = dict(zip(widths, itertools.accumulate(widths.values(), initial=0.0), strict=False))
    height = LINE * len(methods)
    figure = theme.figure(height + 2.4)
    wide = theme.WIDTH - 2.3
    axis = theme.axes(figure, 2.1, 1.65, min(wide, WIDEST * sum(widths.values())), height)
    for _, row in rows.iterrows():
        road = str(row["road"])
        _cell(axis, (lefts[road], methods.index(row["method"]), widths[road]), row, colours)
    axis.set(xlim=(0, sum(widths.values())), ylim=(len(methods) - 0.5, -0.5))
    axis.set_xticks([lefts[road] + widths[road] / 2 for road in widths], list(widths), rotation=90, va="bottom")
    axis.set_yticks(range(len(methods)), methods)
    axis.xaxis.tick_top()
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    shown = [verdict for verdict in COLOURS if verdict in set(rows["verdict"])]
    handles = [_patch(verdict, colours) for verdict in shown]
    signed = [f"{verdict} {SIGNS.get(verdict, '')}".strip() for verdict in shown]
    figure.legend(handles, signed, loc="lower center", ncols=4, fontsize=theme.SMALL, frameon=False)
    return figure


def _patch(verdict: str, colours: Theme) -> Rectangle:
    pair = COLOURS.get(verdict, COLOURS["not asked"])
    face = pair[colours.name == "dark"]
    return Rectangle((-0.5, -0.5), 1, 1, facecolor=face, edgecolor=colours.page, linewidth=1)


def _cell(axis: Any, place: tuple[float, int, float], row: "pd.Series[Any]", colours: Theme) -> None:
    """`place`: its left edge, its line and its width."""
    left, line, width = place
    patch = _patch(str(row["verdict"]), colours)
    patch.set_bounds(left, line - 0.5, width, 1)
    axis.add_patch(patch)
    ratio = row["ratio"]
    text = "" if pd.isna(ratio) else f"{ratio:.2g}" if ratio < 10 else f"{ratio:.0f}"
    text = " ".join(filter(None, (text, SIGNS.get(str(row["verdict"]), ""))))
    axis.text(left + width / 2, line, text, ha="center", va="center", fontsize=8, color=colours.ink)
