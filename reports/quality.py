"""Quality beyond the main setting: other degradations and scales, and what a dtype costs."""

import math

import pandas as pd

from upbench.reports import numbers
from upbench.reports.report import Report
from upbench.reports.words import Block, Cell, cell, code, fold, heading, listed, paragraph, table

AXES = ["degradation", "scale", "dtype"]
MOST = 12


def section(report: Report) -> list[Block]:
    """A table an image by setting, where there are several; what a dtype costs."""
    quality = report.run.quality
    if quality.empty:
        return []
    ok = quality[quality["status"] == "ok"]
    settings = (
        list(dict.fromkeys(ok[ok["dtype"] == ok["dtype"].iloc[0]][AXES[:2]].itertuples(index=False, name=None)))
        if len(ok)
        else []
    )
    blocks: list[Block] = []
    if len(settings) > 1:
        blocks += _settings(report, ok, settings)
    dtypes = dtype_costs(quality)
    if len(dtypes):
        blocks += _dtypes(dtypes)
    return [heading("Quality in other settings"), *blocks] if blocks else []


def _settings(report: Report, ok: pd.DataFrame, settings: list[tuple[str, int]]) -> list[Block]:
    """PSNR of every image in every setting; the best first."""
    wide = ok[ok["dtype"] == ok["dtype"].iloc[0]].pivot_table(
        index="method", columns=AXES[:2], values="psnr_db", sort=False
    )
    rows = []
    for image in report.survey.images:
        name = next((n.name for n in image.names if n.name in wide.index), None)
        if name:
            rows.append(
                [code(image.title), *(_decibels(wide.loc[name].get(setting, math.nan)) for setting in settings)]
            )
    titles = ["image", *(f"{degradation} ×{scale} (dB)" for degradation, scale in settings)]
    style = "l" + "r" * len(settings)
    blocks: list[Block] = [table(titles, rows[:MOST], style)]
    blocks += fold(f"The other {len(rows) - MOST} images", [table(titles, rows[MOST:], style)] if rows[MOST:] else [])
    if any(degradation.startswith("nearest") for degradation, _ in settings):
        note = (
            "Decimation (nearest) shifts the low-resolution image against the original, which favours methods that"
            " shift it back: compare within its columns only."
        )
        blocks.append(paragraph(note))
    return blocks


def _decibels(value: float) -> Cell:
    return cell(numbers.decibels(value), value) if math.isfinite(value) else cell(None)


def dtype_costs(quality: pd.DataFrame) -> pd.DataFrame:
    """For each dtype besides float32: the mean change in PSNR against float32, and the method that loses most."""
    ok = quality[quality["status"] == "ok"]
    wide = ok.pivot_table(index=["degradation", "scale", "method"], columns="dtype", values="psnr_db", sort=False)
    rows = []
    for dtype in wide.columns if "float32" in wide else ():
        change = (wide[dtype] - wide["float32"]).dropna()
        if dtype != "float32" and len(change):
            worst = change.idxmin()[2]
            rows.append({"dtype": dtype, "methods": len(change), "mean (dB)": change.mean(), "worst": worst})
            rows[-1]["worst (dB)"] = change.min()
    return pd.DataFrame(rows)


def _dtypes(costs: pd.DataFrame) -> list[Block]:
    rows = [
        [
            code(row["dtype"]),
            str(row["methods"]),
            f"{row['mean (dB)']:+.3f}".replace("-", "−"),
            listed([code(row["worst"]), f"{row['worst (dB)']:+.3f} dB".replace("-", "−")], " "),
        ]
        for row in costs.to_dict("records")
    ]
    note = "PSNR against float32: the mean over the methods that have both, and the largest loss of one."
    return [paragraph("What a dtype costs. {}", note), table(["dtype", "methods", "mean (dB)", "most"], rows, "lrrl")]
