"""The report's section on deploying: what a method becomes on the roads to production, as `upbench deploy` found it."""

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
NEEDED = ("method", "scale", "road", "verdict", "reason", "ms_eager", "ms", "steps", "where", "fingerprint")
PACKAGES = ("torch", "onnx", "onnxscript", "onnxruntime", "openvino")
NOTE = (
    "Each method down each road, in processes of its own, on 256x256 pictures and, where a road promises any size, on"
    " four other sizes. A cell's colour is what came out beside eager torch; the number is the time there over the time"
    " in eager torch, both in processor time with one thread (so it holds on a busy machine). *Same pixels* is within"
    " 1e-4 of the range; steps are of 8 bits."
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
    told = advice(rows, report.run.quality)
    return [
        heading("Deploying"),
        paragraph(NOTE.replace("*", "")),
        Picture("deploy", alt, partial(draw, first)),
        *([Bullets(tuple(prose(line) for line in told))] if told else []),
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


def advice(rows: pd.DataFrame, quality: pd.DataFrame) -> list[str]:
    """Per road: the fastest way to the pixels that everybody knows, and the front of quality and time."""
    good = rows[(rows["verdict"] == "same pixels") & rows["ms"].notna()]
    return [
        line
        for (_, road), there in good.groupby(["scale", "road"], sort=False)
        for line in (*_fastest(str(road), there), *_front(str(road), there, quality))
    ]


def _fastest(road: str, there: pd.DataFrame) -> list[str]:
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


def _front(road: str, there: pd.DataFrame, quality: pd.DataFrame) -> list[str]:
    """What nothing beats there in both PSNR and time."""
    if quality.empty:
        return []
    first = quality[quality["degradation"] == quality["degradation"].iloc[0]]
    known = there.merge(first[["method", "scale", "psnr_db"]].dropna(), on=["method", "scale"]).sort_values("ms")
    front = known[known["psnr_db"] > known["psnr_db"].cummax().shift(fill_value=float("-inf"))]
    told = ", ".join(f"`{row['method']}` {row['ms']:.3g} ms {row['psnr_db']:.2f} dB" for _, row in front.iterrows())
    return [f"`{road}`: nothing there beats these in both time and PSNR: {told}."] if told else []


def draw(rows: pd.DataFrame, colours: Theme) -> Figure:
    """Methods against roads, coloured by verdict, the time ratio written in."""
    methods, roads = list(dict.fromkeys(rows["method"])), list(dict.fromkeys(rows["road"]))
    height = 0.17 * len(methods)
    figure = theme.figure(height + 1.7)
    axis = theme.axes(figure, 2.1, 0.75, theme.WIDTH - 2.3, height)
    for _, row in rows.iterrows():
        _cell(axis, roads.index(row["road"]), methods.index(row["method"]), row, colours)
    axis.set(xlim=(-0.5, len(roads) - 0.5), ylim=(len(methods) - 0.5, -0.5))
    axis.set_xticks(range(len(roads)), [road.replace("-", "\n") for road in roads])
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


def _cell(axis: Any, column: int, line: int, row: "pd.Series[Any]", colours: Theme) -> None:
    patch = _patch(str(row["verdict"]), colours)
    patch.set_xy((column - 0.5, line - 0.5))
    axis.add_patch(patch)
    ratio = row["ratio"]
    text = "" if pd.isna(ratio) else f"{ratio:.2g}" if ratio < 10 else f"{ratio:.0f}"
    text = " ".join(filter(None, (text, SIGNS.get(str(row["verdict"]), ""))))
    axis.text(column, line, text, ha="center", va="center", fontsize=7, color=colours.ink)
