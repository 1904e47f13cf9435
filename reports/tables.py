"""DataFrames to GitHub tables, for pages that are made of frames."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from upbench.reports.markdown import escape
from upbench.reports.words import text

Format = Mapping[str, str]


def markdown(table: pd.DataFrame, formats: Format | None = None, best: Mapping[str, str] | None = None) -> str:
    """A GitHub table of a frame; `formats` maps columns to format specs, `best` maps columns to `max` or `min`.

    Values that print as a column's best are bold; a missing value is an empty cell.
    """
    formats, best = formats or {}, best or {}
    bold = {c: _shown(_extreme(table[c], which), formats.get(c)) for c, which in best.items() if c in table}
    numeric = [column for column in table if column in formats]
    lines = [
        "| " + " | ".join(str(column) for column in table) + " |",
        "|" + "|".join(" --: " if column in numeric else " --- " for column in table) + "|",
    ]
    for _, row in table.iterrows():
        texts = {column: _shown(row[column], formats.get(column)) for column in table}
        lines.append("| " + " | ".join(f"**{t}**" if t and t == bold.get(c) else t for c, t in texts.items()) + " |")
    return "\n".join(lines)


def _extreme(values: "pd.Series[Any]", which: str) -> Any:
    numbers = pd.to_numeric(values, errors="coerce")
    return numbers.max() if which == "max" else numbers.min()


def _shown(value: Any, spec: str | None) -> str:
    if value is None or (isinstance(value, float) and pd.isna(value)) or value is pd.NA:
        return ""
    if not spec:
        return escape(text(value))
    said = format(value, spec)
    said = f"{float(said):.0f}" if "e+" in said else said
    return said.removeprefix("-") if said.strip("-0.%") == "" else said
