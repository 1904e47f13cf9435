"""Run a method over high/low pairs and score it: the quality stage's instrument."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from upbench.bench.errors import FailedError
from upbench.bench.quality import metrics

PIXELS_AT_ONCE = 64 * 32 * 32  # as many images at once as stay in cache

QUALITY_COLUMNS = (
    "dataset",
    "split",
    "degradation",
    "scale",
    "method",
    "images",
    "psnr_db",
    "ssim",
    "psnr_y_db",
    "psnr_p5_db",
    "identical",
    "status",
    "reason",
    "pixels",
    "dtype",
)


class Upsampler(Protocol):
    """What is scored: an upsampler here, or behind walls."""

    def attempt(self, low: Tensor) -> Tensor:
        """`(N, C, H, W)` to `(N, C, scale*H, scale*W)`; raises `SkippedError` or `FailedError`."""


class Pair(Protocol):
    """Images and what they were degraded to: uint8 `(N, 3, H, W)` and `(N, 3, H/scale, W/scale)`, with ids."""

    @property
    def ids(self) -> list[str]: ...  # noqa: D102
    @property
    def high(self) -> Tensor: ...  # noqa: D102
    @property
    def low(self) -> Tensor: ...  # noqa: D102


@dataclass(slots=True, kw_only=True)
class Scores:
    """One value an image, in order: PSNR (RGB, uncropped), SSIM (RGB), PSNR of Y cropped by the scale."""

    ids: list[str] = field(default_factory=list)
    psnr_db: list[float] = field(default_factory=list)
    ssim: list[float] = field(default_factory=list)
    psnr_y_db: list[float] = field(default_factory=list)

    def add(self, ids: list[str], high: Tensor, upsampled: Tensor, scale: int) -> None:
        """Score levels `(N, 3, H, W)` in 0..255 of images that `ids` name."""
        self.ids += ids
        self.psnr_db += metrics.psnr_db(high, upsampled).tolist()
        self.ssim += metrics.ssim(high, upsampled).tolist()
        luma, luma_up = (metrics.luma(metrics.crop(levels, scale)) for levels in (high, upsampled))
        self.psnr_y_db += metrics.psnr_db(luma, luma_up).tolist()

    def summary(self) -> dict[str, Any]:
        """Means over the images, identical pairs (PSNR inf) left out of the PSNR and counted; inf if all are."""
        return {
            "images": len(self.ids),
            "psnr_db": _finite_mean(self.psnr_db),
            "ssim": float(np.mean(self.ssim)),
            "psnr_y_db": _finite_mean(self.psnr_y_db),
            "psnr_p5_db": float(np.percentile(np.minimum(self.psnr_db, 1e3), 5)),
            "identical": sum(math.isinf(value) for value in self.psnr_db),
        }

    def as_dict(self) -> dict[str, Any]:
        """All values, for the journal."""
        return asdict(self)


def _finite_mean(values: list[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return float(np.mean(finite)) if finite else math.inf


def score(
    upsampler: Upsampler, pairs: Iterable[Pair], scale: int, device: torch.device, dtype: torch.dtype = torch.float32
) -> Scores:
    """Upsample every low-resolution image in `dtype` and compare it with its high-resolution one.

    Raises `SkippedError` where the method declines, `FailedError` where it breaks or an image is too small.
    """
    scores = Scores()
    for pair in pairs:
        count = max(1, PIXELS_AT_ONCE // (pair.high.shape[-1] * pair.high.shape[-2]))
        for start in range(0, len(pair.ids), count):
            part = slice(start, start + count)
            high = pair.high[part].to(device)
            levels = upsampled_levels(upsampler, pair.low[part].to(device), scale, dtype)
            try:
                scores.add(pair.ids[part], metrics.to_levels(high), levels, scale)
            except ValueError as error:
                raise FailedError(f"{pair.ids[start]}: {error}") from error
    return scores


def upsampled_levels(upsampler: Upsampler, low: Tensor, scale: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Upsample uint8 images `(N, 3, H, W)`, as floats in [0, 1] or as they are; returns 8-bit levels.

    Raises `SkippedError` or `FailedError`.
    """
    n, c, h, w = low.shape
    with torch.inference_mode():
        high = upsampler.attempt(low if dtype == torch.uint8 else (low.to(torch.float32) / 255).to(dtype))
    if tuple(high.shape) != (n, c, scale * h, scale * w):
        raise FailedError(f"it returned shape {tuple(high.shape)} for an input of {tuple(low.shape)}")
    if not torch.isfinite(high).all():
        raise FailedError("it returned NaN or infinite values")
    return metrics.to_levels(high)
