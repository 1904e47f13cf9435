"""Is a difference in quality real? Methods in pairs over the same images, with a bootstrap interval.

Images are drawn with replacement, the same draw for every method, so that an image's own difficulty cancels.
Source: B. Efron and R. Tibshirani, "An Introduction to the Bootstrap", 1993 (percentile interval).
"""

import functools
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

RESAMPLES = 2000
CONFIDENCE = 0.95
METRICS = ("psnr_db", "ssim")
COLUMNS = ("method", "other", *(f"{m}_{what}" for m in METRICS for what in ("difference", "low", "high")), "tie")
PAIRS_AT_ONCE = 256

Array = np.ndarray[Any, np.dtype[np.float64]]


def pairs(per_image: Mapping[str, Mapping[str, Sequence[float]]], seed: int = 0) -> list[dict[str, Any]]:
    """All pairs of methods: mean difference in PSNR and SSIM with its 95 % interval, and whether it is a tie.

    `per_image` maps a method to its values by metric, image by image in the same order. An image on which either is
    identical to the original (PSNR inf) is left out for that pair. A tie: both metrics' intervals hold zero.
    """
    names = list(per_image)
    chosen = np.array(list(itertools.combinations(range(len(names)), 2)), dtype=int).reshape(-1, 2)
    rows: list[dict[str, Any]] = [{"method": names[one], "other": names[other]} for one, other in chosen]
    weights = _weights(len(per_image[names[0]]["ssim"]), seed) if rows else np.empty((0, 0))
    for metric in METRICS:
        values = np.array([per_image[name][metric] for name in names], dtype=float)
        for start in range(0, len(rows), PAIRS_AT_ONCE):
            part = slice(start, start + PAIRS_AT_ONCE)
            one, other = (values[chosen[part, side]] for side in (0, 1))
            for row, (mean, low, high) in zip(rows[part], _differences(one, other, weights), strict=True):
                row |= {f"{metric}_difference": mean, f"{metric}_low": low, f"{metric}_high": high}
    for row in rows:
        row["tie"] = all(row[f"{metric}_low"] <= 0 <= row[f"{metric}_high"] for metric in METRICS)
    return rows


@functools.lru_cache(maxsize=1)
def _weights(images: int, seed: int) -> Array:
    """Resamples as weights: row r holds how often each image is drawn, divided by the number of images."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(images, np.full(images, 1 / images), size=RESAMPLES) / images


def _differences(one: Array, other: Array, weights: Array) -> list[list[float]]:
    """Mean and both ends of the interval for each row of values `(pairs, images)`; 0 where none is finite."""
    both = np.isfinite(one) & np.isfinite(other)
    difference = np.subtract(one, other, where=both, out=np.zeros_like(one))
    counted = both.astype(float)
    mean = difference.sum(axis=1) / np.maximum(counted.sum(axis=1), 1)
    shares = 1.0 if both.all() else np.maximum(counted @ weights.T, 1e-12)
    resampled = difference @ weights.T / shares
    low, high = np.quantile(resampled, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=1)
    found: list[list[float]] = np.stack([mean, low, high], axis=1).tolist()
    return found
