"""The article's claim about transposed convolution, judged where a network was trained with each layer in turn."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from upbench.bench.layers import statistics
from upbench.bench.layers.contract import REFERENCE


def claim(rows: pd.DataFrame, others: Sequence[str] = ("bilinear+conv3", REFERENCE)) -> tuple[str, str]:
    """*Transposed convolution keeps more detail and costs more*, judged inside a network: verdict and evidence.

    Drop-in and seed by seed, against the first of `others` that can be compared in every task. The verdict is one of
    `holds`, `does not hold`, `depends` and `not measured`. `rows` are those of `layers.csv`.
    """
    counted = statistics.usable(rows) if len(rows) else rows
    if not len(counted):
        return "not measured", "No network was trained in this run (`upbench layers`)."
    axes = ["fairness", "initialisation", "rate"]
    same = counted[(counted[axes] == counted.iloc[0][axes]).all(axis=1)]
    found = {other: _against(same, other) for other in others}
    other = max(found, key=lambda name: found[name]["task"].nunique())  # the first of equals
    table = found[other]
    if table.empty:
        return (
            "not measured",
            f"This run did not train {' or '.join(others)} and a transposed convolution on two seeds.",
        )
    better, costlier = table["low_db"] > 0, table["ratio_low"] > 1
    verdict = "depends" if (better | costlier).any() else "does not hold"
    told = "; ".join(
        f"{row.task}, `{row.layer}` {row.difference_db:+.2f} dB at {row.ratio:.2f}x the time"
        for row in table.itertuples()
    )
    certain = ", ".join(f"`{row.layer}` ({row.task})" for row in table[better].itertuples()) or "none"
    evidence = f"Against `{other}`: {told}. More detail for certain: {certain}."
    if not costlier.any():
        evidence += " That it costs more does not hold."
    return ("holds" if (better & costlier).all() else verdict), evidence


def _against(rows: pd.DataFrame, other: str) -> pd.DataFrame:
    """Each task's transposed convolutions: difference in dB and ratio of times to another layer, with lower ends."""
    found = []
    for task, here in rows.groupby("task", sort=False):
        psnr = here.pivot_table(index="seed", columns="layer", values="psnr_db")
        times = np.log(here.pivot_table(index="seed", columns="layer", values="infer_ratio"))
        for layer in (name for name in psnr if str(name).startswith("transposed-")):
            difference, low, _ = statistics.paired(psnr, layer, other)
            ratio, ratio_low, _ = (float(np.exp(x)) for x in statistics.paired(times, layer, other))
            found.append((task, layer, difference, low, ratio, ratio_low))
    names = ["task", "layer", "difference_db", "low_db", "ratio", "ratio_low"]
    return pd.DataFrame(found, columns=names).dropna()
