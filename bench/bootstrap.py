"""Is a difference in quality real? Methods in pairs over the same images, with a bootstrap interval.

Images are drawn with replacement, the same draw for every method, so that an image's own difficulty cancels.
Source: B. Efron and R. Tibshirani, "An Introduction to the Bootstrap", 1993 (percentile interval).
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

RESAMPLES = 2000
CONFIDENCE = 0.95
METRICS = ("psnr_db", "ssim")

Array = np.ndarray[Any, np.dtype[np.float64]]


def pairs(per_image: Mapping[str, Mapping[str, Sequence[float]]], seed: int = 0) -> list[dict[str, Any]]:
    """All pairs of methods: mean difference in PSNR and SSIM with its 95 % interval, and whether it is a tie.

    `per_image` maps a method to its values by metric, image by image in the same order. An image on which either is
    identical to the original (PSNR inf) is left out for that pair. A tie: both metrics' intervals hold zero.
    """
    weights = _weights(len(next(iter(per_image.values()))["ssim"]), seed) if per_image else np.empty((0, 0))
    values = {name: {m: np.asarray(found[m], dtype=float) for m in METRICS} for name, found in per_image.items()}
    means = {name: {m: _finite(weights, v) for m, v in found.items()} for name, found in values.items()}
    rows = []
    for one, other in itertools.combinations(values, 2):
        row: dict[str, Any] = {"method": one, "other": other}
        for metric in METRICS:
            row |= _difference(metric, values[one][metric], values[other][metric], weights, means, (one, other))
        row["tie"] = all(row[f"{metric}_low"] <= 0 <= row[f"{metric}_high"] for metric in METRICS)
        rows.append(row)
    return rows


def _weights(images: int, seed: int) -> Array:
    """Resamples as weights: row r holds how often each image is drawn, divided by the number of images."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(images, np.full(images, 1 / images), size=RESAMPLES) / images


def _finite(weights: Array, values: Array) -> Array | None:
    return weights @ values if np.isfinite(values).all() else None


def _difference(
    metric: str,
    one: Array,
    other: Array,
    weights: Array,
    means: Mapping[str, Mapping[str, Array | None]],
    names: tuple[str, str],
) -> dict[str, float]:
    first, second = (means[name][metric] for name in names)
    both = np.isfinite(one) & np.isfinite(other)
    if not both.any():
        return {f"{metric}_difference": 0.0, f"{metric}_low": 0.0, f"{metric}_high": 0.0}
    if first is not None and second is not None:
        resampled = first - second
    else:
        drawn = weights[:, both]
        resampled = drawn @ (one[both] - other[both]) / np.maximum(drawn.sum(axis=1), 1e-12)
    low, high = np.quantile(resampled, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return {
        f"{metric}_difference": float(np.mean(one[both] - other[both])),
        f"{metric}_low": float(low),
        f"{metric}_high": float(high),
    }
