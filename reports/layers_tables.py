"""The tables of layers inside a network, as frames: places and scores, costs, and what another start changes."""

from typing import Any

import pandas as pd

from upbench.bench.layers import statistics
from upbench.reports import words
from upbench.reports.words import Table

MATCHED = {"matched-macs": "matched MACs (dB)", "matched-parameters": "matched parameters (dB)"}
SCORES = {"place": ".0f", "PSNR (dB)": ".2f"}
COSTS = {
    "MMAC": ".2f",
    "parameters": ",.0f",
    "kept for backward (MiB)": ".1f",
    "peak of a step (MiB)": ".1f",
    "peak of inference (MiB)": ".1f",
    "train (ms)": ".3g",
    "inference (ms)": ".3g",
    "phases": ".2g",
    "gradient": ".2g",
}


def usual(summary: pd.DataFrame) -> pd.DataFrame:
    """The rows of the tables' own setting: the first fairness, initialisation and learning rate, best first."""
    first = summary.iloc[0]
    axes = ["fairness", "initialisation", "rate"]
    return summary[(summary[axes] == first[axes]).all(axis=1)].sort_values("psnr_db", ascending=False)


def shifts(rows: pd.DataFrame, task: str) -> pd.DataFrame:
    """What another start or learning rate changes: mean difference in dB to the tables' own setting, seed by seed.

    Columns `setting`, `layer`, `shift_db`, `seeds`; a pair with a collapsed training is left out.
    """
    own = rows.iloc[0]
    drop_in = rows[(rows["task"] == task) & (rows["fairness"] == own["fairness"])]
    usual = (drop_in["initialisation"] == own["initialisation"]) & (drop_in["rate"] == own["rate"])
    counted = statistics.usable(drop_in)
    base = counted[usual.loc[counted.index]].set_index(["layer", "seed"])["psnr_db"]
    found = []
    for (start, rate), part in drop_in[~usual].groupby(["initialisation", "rate"], sort=False):
        change = (statistics.usable(part).set_index(["layer", "seed"])["psnr_db"] - base).dropna()
        name = f"rate {rate:g}" if start == own["initialisation"] else f"{start} start"
        for layer, values in change.groupby(level="layer", sort=False):
            found.append({"setting": name, "layer": layer, "shift_db": values.mean(), "seeds": len(values)})
    return pd.DataFrame(found, columns=["setting", "layer", "shift_db", "seeds"])


def scores(here: pd.DataFrame, moved: pd.DataFrame) -> pd.DataFrame:
    """A task's layers, best first: place, PSNR, difference, and the same by other fairness, start and learning rate."""
    first = usual(here)
    table = pd.DataFrame({"layer": first["layer"], "place": first["place"], "PSNR (dB)": first["psnr_db"]})
    table["95 %"] = [_between(*ends) for ends in zip(first["psnr_low_db"], first["psnr_high_db"], strict=True)]
    ends = zip(first["difference_db"], first["difference_low_db"], first["difference_high_db"], strict=True)
    table["against"] = [_with_interval(*each, "+.2f") for each in ends]
    own = here.iloc[0]
    others = here[(here["initialisation"] == own["initialisation"]) & (here["rate"] == own["rate"])]
    for fairness, name in MATCHED.items():
        part = others[others["fairness"] == fairness]
        if len(part) and fairness != own["fairness"]:
            table[name] = list(_at(part, first["layer"]))
    for name, part in moved.groupby("setting", sort=False):
        change = part.set_index("layer")["shift_db"].reindex(first["layer"])
        table[f"{name}, {part['seeds'].max()} seeds"] = ["" if pd.isna(value) else f"{value:+.2f}" for value in change]
    table["seeds"] = first["seeds"]
    if here["collapsed"].sum():
        table["collapsed"] = list(here.groupby("layer")["collapsed"].sum().reindex(first["layer"]))
    return table.reset_index(drop=True)


def _at(part: pd.DataFrame, layers: "pd.Series[Any]") -> list[str]:
    found = part.set_index("layer")["psnr_db"].reindex(layers)
    return ["" if pd.isna(value) else f"{value:.2f}" for value in found]


def _between(low: float, high: float, spec: str = ".2f") -> str:
    return "" if pd.isna(low) else f"{low:{spec}} to {high:{spec}}"


def _with_interval(value: float, low: float, high: float, spec: str) -> str:
    between = f" ({_between(low, high, spec)})" if not pd.isna(low) else ""
    return "" if pd.isna(value) else f"{value:{spec}}{between}"


def costs(here: pd.DataFrame) -> pd.DataFrame:
    """What each layer costs in the tables' own setting, and what its score hides."""
    first = usual(here)
    table = pd.DataFrame({"layer": first["layer"], "MMAC": first["macs"] / 1e6, "parameters": first["parameters"]})
    table["kept for backward (MiB)"] = first["held_bytes"] / 2**20
    for what, column in (("a step", "step_peak_bytes"), ("inference", "infer_peak_bytes")):
        if column in first:  # runs of before have none
            table[f"peak of {what} (MiB)"] = first[column] / 2**20
    table["train (ms)"], table["inference (ms)"] = first["train_ms"], first["infer_ms"]
    ends = zip(first["infer_ratio"], first["infer_ratio_low"], first["infer_ratio_high"], strict=True)
    table["time"] = [_with_interval(*each, ".2f") for each in ends]
    levels = zip(first["start_checkerboard_levels"], first["checkerboard_levels"], strict=True)
    table["checkerboard"] = [f"{start:.1f} -> {end:.1f}" for start, end in levels]
    table["phases"], table["gradient"] = first["phase_ratio"], first["gradient_norm"]
    return table.reset_index(drop=True)


def shown(table: pd.DataFrame, formats: dict[str, str]) -> Table:
    """The table of a page; what has a format is a number, and a missing one an empty cell."""
    rows = [
        ["" if pd.isna(value) else f"{value:{formats.get(str(name), '')}}" for name, value in row.items()]
        for row in table.to_dict("records")
    ]
    return words.table(list(table), rows, "".join("r" if name in formats else "l" for name in table))
