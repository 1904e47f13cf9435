"""DataFrames to the report's tables, and those to markdown. Rounding happens here and nowhere before."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from upbench.bench.cells import COPY

Format = Mapping[str, str]


def markdown(table: pd.DataFrame, formats: Format | None = None, best: Mapping[str, str] | None = None) -> str:
    """A GitHub table of a frame; `formats` maps columns to format specs, `best` maps columns to `max` or `min`.

    Values that print as a column's best are bold; a missing value is an empty cell.
    """
    formats, best = formats or {}, best or {}
    bold = {c: _text(_extreme(table[c], which), formats.get(c)) for c, which in best.items() if c in table}
    numeric = [column for column in table if column in formats]
    lines = [
        "| " + " | ".join(str(column) for column in table) + " |",
        "|" + "|".join("---:" if column in numeric else "---" for column in table) + "|",
    ]
    for _, row in table.iterrows():
        texts = {column: _text(row[column], formats.get(column)) for column in table}
        lines.append("| " + " | ".join(f"**{t}**" if t and t == bold.get(c) else t for c, t in texts.items()) + " |")
    return "\n".join(lines)


def _extreme(values: "pd.Series[Any]", which: str) -> Any:
    numbers = pd.to_numeric(values, errors="coerce")
    return numbers.max() if which == "max" else numbers.min()


def number(value: float, spec: str) -> str:
    """The number in that format, large ones in full: 1450, not 1.45e+03."""
    text = format(value, spec)
    return f"{float(text):.0f}" if "e+" in text else text


def _text(value: Any, spec: str | None) -> str:
    if value is None or (isinstance(value, float) and pd.isna(value)) or value is pd.NA:
        return ""
    if not spec:
        return str(value).replace("|", "\\|")
    text = number(value, spec)
    return text.removeprefix("-") if text.strip("-0.%") == "" else text


def headline(quality: pd.DataFrame, speed: pd.DataFrame) -> pd.DataFrame:
    """Quality and speed together: the first degradation and scale, the first device and dtype, best PSNR first.

    Methods without any figure are left out: `not_measured` has them with their reasons.
    """
    table = pd.DataFrame({"method": pd.Series(dtype=str)})
    if not quality.empty:
        table = first_quality(quality)[["method", "psnr_db", "ssim", "psnr_y_db"]].reset_index(drop=True)
    if not speed.empty:
        table = table.merge(_milliseconds(speed), on="method", how="outer")
    table = table[table.drop(columns="method").notna().any(axis=1)] if len(table.columns) > 1 else table
    if "psnr_db" in table:
        table = table.sort_values("psnr_db", ascending=False, na_position="last", kind="stable")
    names = {"psnr_db": "PSNR (dB)", "ssim": "SSIM", "psnr_y_db": "PSNR-Y (dB)"}
    return table.rename(columns=names).reset_index(drop=True)


def first_quality(quality: pd.DataFrame) -> pd.DataFrame:
    """The rows of the first degradation, scale and dtype."""
    axes = ["degradation", "scale", "dtype"]
    return quality[(quality[axes] == quality.iloc[0][axes]).all(axis=1)]


def headline_formats(table: pd.DataFrame) -> tuple[dict[str, str], dict[str, str]]:
    """Formats and best directions of the headline's columns."""
    formats = {"PSNR (dB)": ".2f", "SSIM": ".4f", "PSNR-Y (dB)": ".2f"}
    formats |= {column: ".3g" for column in table if str(column).endswith("(ms)")}
    return formats, {name: "min" if name.endswith("(ms)") else "max" for name in formats}


def main_speed(speed: pd.DataFrame) -> pd.DataFrame:
    """The cells of the first device, dtype, format, mode, step, thread count and scale, without the yardstick."""
    if speed.empty:
        return speed
    first = speed.iloc[0]
    axes = ["scale", "device", "dtype", "memory_format", "mode", "step", "threads"]
    same = (speed[axes] == first[axes]).all(axis=1)
    return speed[same & (speed["method"] != COPY)]


def _milliseconds(speed: pd.DataFrame) -> pd.DataFrame:
    chosen = main_speed(speed)
    wide = chosen.pivot_table(index="method", columns="workload", values="seconds", sort=False) * 1e3
    return wide.rename(columns=lambda name: f"{name} (ms)").reset_index()


def quality_by(rows: pd.DataFrame, comparisons: pd.DataFrame, shifted: Mapping[str, float]) -> pd.DataFrame:
    """The quality figures of rows of one degradation, scale and dtype, best PSNR first.

    `note` says where a method ties with the one above it (95 % bootstrap interval over the images holds zero), whose
    pixels it shares, and by how much it shifts the image.
    """
    chosen = rows[rows["status"] == "ok"].sort_values("psnr_db", ascending=False, kind="stable")
    ties = _ties(comparisons, rows)
    notes, above = [], None
    for _, row in chosen.iterrows():
        method, pixels = row["method"], row["pixels"]
        parts = []
        if pixels != method and isinstance(pixels, str):
            parts.append(f"same pixels as {pixels}")
        elif above is not None and frozenset((above, method)) in ties:
            parts.append("tie with the one above")
        if method in shifted:
            parts.append(f"shifts by {shifted[method]:.2f} px")
        notes.append("; ".join(parts))
        above = method
    columns = {
        "method": "method",
        "psnr_db": "PSNR (dB)",
        "psnr_p5_db": "worst 5 % below (dB)",
        "ssim": "SSIM",
        "psnr_y_db": "PSNR-Y (dB)",
        "identical": "identical",
        "images": "images",
    }
    return chosen[list(columns)].rename(columns=columns).assign(note=notes)


def _ties(comparisons: pd.DataFrame, rows: pd.DataFrame) -> set[frozenset[str]]:
    """Pairs of methods, compared on these rows' degradation, scale and dtype, whose difference may be chance."""
    if comparisons.empty or rows.empty:
        return set()
    axes = ["degradation", "scale", "dtype"]
    same = (comparisons[axes] == rows.iloc[0][axes]).all(axis=1) & comparisons["tie"]
    return {frozenset(names) for names in comparisons.loc[same, ["method", "other"]].itertuples(index=False)}


QUALITY_FORMATS = {
    "PSNR (dB)": ".3f",
    "worst 5 % below (dB)": ".2f",
    "SSIM": ".4f",
    "PSNR-Y (dB)": ".3f",
    "identical": ".0f",
    "images": ",.0f",
}
QUALITY_BEST = {"PSNR (dB)": "max", "worst 5 % below (dB)": "max", "SSIM": "max", "PSNR-Y (dB)": "max"}


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


DTYPE_FORMATS = {"methods": ".0f", "mean (dB)": "+.4f", "worst (dB)": "+.4f"}


def speed_by(cells: pd.DataFrame) -> pd.DataFrame:
    """One workload's cells, fastest first: milliseconds, spread, throughput, speed relative to a plain copy."""
    table = cells.sort_values("seconds", kind="stable")
    varying = [
        axis for axis in ("device", "dtype", "memory_format", "mode", "step", "threads") if table[axis].nunique() > 1
    ]
    out = table[["method", *varying]].copy()
    out["time (ms)"] = table["seconds"] * 1e3
    out["spread"] = table["spread"]
    out["Mpx/s"] = table["megapixels_per_second"]
    out["of copy speed"] = table["copy_share"]
    if table["light_share"].notna().any():
        out["of light"] = table["light_share"]
    if (table["conversion_seconds"] > 0).any():
        out["conversion (ms)"] = (table["conversion_seconds"] * 1e3).where(table["conversion_seconds"] > 0)
    return out


SPEED_FORMATS = {
    "time (ms)": ".3g",
    "spread": ".1%",
    "Mpx/s": ".4g",
    "of copy speed": ".1%",
    "of light": ".1%",
    "conversion (ms)": ".3g",
}


def not_measured(quality: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Everything that was skipped or failed, with its reason, equal reasons together."""
    rows: list[dict[str, Any]] = []
    if not quality.empty:
        for _, row in quality[quality["status"] != "ok"].iterrows():
            what = f"quality {row['degradation']} x{row['scale']}"
            rows.append({"method": row["method"], "status": row["status"], "reason": row["reason"], "what": what})
    for _, row in cells[cells["status"] != "ok"].iterrows():
        method, _, axes = str(row["cell"]).partition("/")
        rows.append({"method": method, "status": row["status"], "reason": row["reason"], "what": f"speed {axes}"})
    if not rows:
        return pd.DataFrame()
    keys = ["method", "status", "reason"]
    return pd.DataFrame(rows).groupby(keys, sort=False)["what"].agg(_several).reset_index()


def _several(names: Sequence[str]) -> str:
    listed = list(names)
    return listed[0] if len(listed) == 1 else f"{listed[0]} and {len(listed) - 1} more"
