"""Layers over seeds: intervals, differences in pairs, and places. From the rows of `layers.csv`, without torch.

All layers of a seed share the body's start and the order of the images, so they are compared seed by seed (paired t
intervals, 95 %). Collapsed trainings are counted and enter no mean.
"""

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from upbench.bench.layers.contract import REFERENCE

SETTING = ["task", "fairness", "initialisation", "rate"]
CONFIDENCE = 0.95
FALSE_DISCOVERIES = 0.05
LEAST_LEVELS = 1.0  # 8-bit levels that a network which has learned something adds, standard deviation
MEDIANS = (
    "hidden",
    "parameters",
    "macs",
    "held_bytes",
    "step_peak_bytes",
    "infer_peak_bytes",
    "train_ms",
    "infer_ms",
    "phase_ratio",
    "start_checkerboard_levels",
    "checkerboard_levels",
    "gradient_norm",
    "layer_gradient_norm",
)

Array = np.ndarray[Any, np.dtype[np.float64]]


def collapse(row: Mapping[str, Any]) -> str:
    """Why a training counts as collapsed; empty where it does not.

    A loss or score that is not a number, and a network whose own part of the output varies by less than a level: dead
    ReLUs leave it with the score of its starting point.
    """
    own = row.get("own_levels")
    if own is None or own >= LEAST_LEVELS:
        return str(row.get("collapsed") or "")
    return f"the network adds next to nothing to its starting point: {own:.2g} 8-bit levels (dead ReLUs)"


def usable(rows: pd.DataFrame) -> pd.DataFrame:
    """The trainings that count: measured and not collapsed."""
    return rows[(rows["status"] == "ok") & ~has_collapsed(rows)]


def has_collapsed(rows: pd.DataFrame) -> "pd.Series[bool]":
    """Which trainings have a reason why they count as collapsed (an empty text is read back as NaN)."""
    return rows["collapsed"].notna() & (rows["collapsed"] != "")


def interval(values: Array) -> tuple[float, float, float]:
    """Mean and both ends of its 95 % t interval; the ends are NaN for fewer than two values."""
    mean = float(np.mean(values)) if len(values) else np.nan
    if len(values) < 2:
        return mean, np.nan, np.nan
    from scipy import stats  # a report without layers needs none of it

    half = stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return mean, mean - half, mean + half


def with_reference(rows: pd.DataFrame) -> pd.DataFrame:
    """The reference's drop-in rows as those of every fairness: at its own cost it is the same network."""
    reference = rows[(rows["layer"] == REFERENCE) & (rows["fairness"] == "drop-in")]
    others = [name for name in dict.fromkeys(rows["fairness"]) if name != "drop-in"]
    parts = []
    for fairness in others:
        here = rows[rows["fairness"] == fairness]
        settings = set(zip(here["initialisation"], here["rate"], here["task"], strict=True))
        kept = [
            key in settings for key in zip(*(reference[k] for k in ("initialisation", "rate", "task")), strict=True)
        ]
        parts.append(reference[kept].assign(fairness=fairness))
    return pd.concat([rows, *parts], ignore_index=True)


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a setting and layer: seeds, PSNR with its interval, difference to the reference, place, costs."""
    found = [
        dict(zip(SETTING, setting, strict=True)) | row
        for setting, part in with_reference(rows).groupby(SETTING, sort=False)
        for row in _setting(part)
    ]
    return pd.DataFrame(found)


def _setting(rows: pd.DataFrame) -> list[dict[str, Any]]:
    scores = usable(rows).pivot_table(index="seed", columns="layer", values="psnr_db")
    placed = places(scores)
    found = []
    for layer, all_of in rows.groupby("layer", sort=False):
        good = usable(all_of)
        mean, low, high = interval(good["psnr_db"].to_numpy(float))
        ratio, ratio_low, ratio_high = (np.exp(x) for x in interval(np.log(good["infer_ratio"].to_numpy(float))))
        row = {"layer": layer, "place": placed.get(str(layer)), "seeds": len(good)}
        row |= {"collapsed": int(has_collapsed(all_of).sum())}
        row |= {"psnr_db": mean, "psnr_low_db": low, "psnr_high_db": high}
        row |= dict(
            zip(("difference_db", "difference_low_db", "difference_high_db"), paired(scores, layer), strict=True)
        )
        row |= {"infer_ratio": ratio, "infer_ratio_low": ratio_low, "infer_ratio_high": ratio_high}
        found.append(row | {name: good[name].astype(float).median() for name in MEDIANS if name in good})
    return found


def paired(scores: pd.DataFrame, layer: Any, other: str = REFERENCE) -> tuple[float, float, float]:
    """A layer's difference to another in dB over the seeds that both have, with its interval."""
    if layer not in scores or other not in scores or layer == other:
        return np.nan, np.nan, np.nan
    return interval((scores[layer] - scores[other]).dropna().to_numpy(float))


def places(scores: pd.DataFrame) -> dict[str, int]:
    """One plus the number of layers that are certainly better: those that the seeds cannot tell apart share a place.

    Certainly: paired t tests of all pairs, false discoveries held at 5 % (Benjamini & Hochberg, 1995). With fewer than
    three common seeds no pair is told apart.
    """
    pairs = list(itertools.combinations(scores.columns, 2))
    values = np.array([_p_value((scores[one] - scores[other]).dropna().to_numpy(float)) for one, other in pairs])
    ranked = np.argsort(values)
    limits = FALSE_DISCOVERIES * (np.arange(len(values)) + 1) / max(1, len(values))
    passed = np.flatnonzero(values[ranked] <= limits)
    certain = {pairs[index] for index in ranked[: passed[-1] + 1]} if len(passed) else set()
    place = dict.fromkeys(map(str, scores.columns), 1)
    means = scores.mean()
    for one, other in certain:
        place[str(one if means[one] < means[other] else other)] += 1
    return place


def _p_value(differences: Array) -> float:
    """Two-sided, that the mean difference is zero."""
    if len(differences) < 3:
        return 1.0
    if np.ptp(differences) == 0:
        return 0.0 if differences[0] else 1.0
    from scipy import stats

    return float(stats.ttest_1samp(differences, 0).pvalue)
