"""The report's section on deploying: what a method becomes on the roads to production, as `upbench deploy` found it."""

from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from upbench.bench.cells import PLAIN
from upbench.reports.plot_deploy import COLOURS, draw
from upbench.reports.report import Report
from upbench.reports.words import Block, Bullets, Picture, code, fold, heading, paragraph, prose, table

SAME_FINGERPRINT = 1e-5  # of a projection of the eager image: same pixels differ by 1e-7
SHIPPED = ("onnx-dynamic", "onnx", "openvino", "export-dynamic", "compile", "compile-dynamic")
NEEDED = ("method", "scale", "road", "verdict", "reason", "ms_eager", "ms", "steps", "where", "fingerprint")
PACKAGES = ("torch", "onnx", "onnxscript", "onnxruntime", "openvino")
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
    asked = set(rows.loc[rows["verdict"] != "not asked", "method"])
    first = rows[(rows["scale"] == rows["scale"].iloc[0]) & (rows["method"].isin(asked) | (not asked))]
    alt = f"{first['method'].nunique()} methods against the roads {', '.join(dict.fromkeys(first['road']))}"
    told = [*warnings(rows), *advice(rows)]
    return [
        heading("Deploying"),
        paragraph(NOTE),
        Picture("deploy", alt, partial(draw, first)),
        *([Bullets(tuple(prose(line) for line in told))] if told else []),
        *_fronts(first, report.run.quality),
        *warmth(first),
        *eager(first),
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


def warnings(rows: pd.DataFrame) -> list[str]:
    """What answers, and wrongly, without a word."""
    wrong = rows[rows["verdict"] == "silently wrong elsewhere"]
    return [
        f"Silently wrong: `{row['method']}` by `{row['road']}`, {row['reason']}, by {row['steps']:.0f} steps of 8 bits"
        f" ({row['where']})."
        for _, row in wrong.iterrows()
    ]


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


def eager(rows: pd.DataFrame) -> list[Block]:
    """The shapes that methods themselves refuse, which is no road's fault."""
    if "note" not in rows:
        return []
    shapes = rows[rows["road"].str.startswith("shapes")].drop_duplicates("method")
    refused = shapes.assign(shapes=shapes["note"].str.extract("eager refuses (.*)$")[0]).dropna(subset="shapes")
    told = [
        f"{what} ({', '.join(f'`{name}`' for name in part['method'])})"
        for what, part in refused.groupby("shapes", sort=False)
    ]
    return [Bullets((prose(f"Refused by eager torch itself: {'; '.join(told)}."),))] if told else []
