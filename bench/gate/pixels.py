"""Did the pixels change between two versions? The same image goes through both; here the results meet."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

IDENTICAL = "identical"
ROUNDING = "within rounding"
CHANGED = "CHANGED"

# Within this many ULP of 1.0 a difference is one of rounding: the same few sums in another order.
ROUNDING_ULPS = {"float64": 8, "float32": 8, "float16": 2, "bfloat16": 2}
ULP = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pixels:
    """How two images of one input differ.

    `largest` is the maximum difference on [0, 1]; `ulps` the same in units of the last place of 1.0 (0 for
    uint8); `steps` the maximum difference after rounding to 8 bits; `share` how many 8-bit values differ;
    `psnr_change_db` candidate's PSNR less baseline's against the image that the input was made from.
    """

    status: str
    largest: float = 0.0
    ulps: float = 0.0
    steps: int = 0
    share: float = 0.0
    psnr_change_db: float = 0.0


def compare(baseline: Array, candidate: Array, truth: Array, dtype: str) -> Pixels:
    """Compare two `(N, C, H, W)` images of torch's `dtype` with each other; `truth` is float on [0, 1].

    Raises `ValueError` if their shapes differ or one holds NaN.
    """
    if baseline.shape != candidate.shape:
        raise ValueError(f"the baseline's image is {baseline.shape}, the candidate's {candidate.shape}")
    if baseline.dtype == candidate.dtype and baseline.tobytes() == candidate.tobytes():
        return Pixels(status=IDENTICAL)
    one, other = _unit(baseline, dtype), _unit(candidate, dtype)
    largest = float(np.abs(one - other).max())
    if np.isnan(largest):
        raise ValueError("one of the images holds NaN")
    steps = np.abs(eight_bit(one) - eight_bit(other))
    ulps = largest / ULP[dtype] if dtype in ULP else 0.0
    rounding = ulps <= ROUNDING_ULPS[dtype] if dtype in ULP else int(steps.max()) <= 1
    return Pixels(
        status=ROUNDING if rounding else CHANGED,
        largest=largest,
        ulps=ulps,
        steps=int(steps.max()),
        share=float((steps > 0).mean()),
        psnr_change_db=psnr_db(other, truth) - psnr_db(one, truth),
    )


def _unit(image: Array, dtype: str) -> Array:
    values = image.astype(np.float64)
    scaled: Array = values / 255 if dtype == "uint8" else values
    return scaled


def eight_bit(image: Array) -> Array:
    """An image on [0, 1] clamped and rounded to 0..255 (as float64)."""
    levels: Array = np.rint(np.clip(image.astype(np.float64), 0, 1) * 255)
    return levels


def psnr_db(image: Array, truth: Array) -> float:
    """PSNR in dB of 8-bit values, mean over the images of a batch; an identical image counts as 100 dB.

    `10 log10(255^2 / MSE)`, MSE over channels, rows and columns.
    """
    errors = ((eight_bit(image) - eight_bit(truth)) ** 2).mean(axis=(1, 2, 3))
    return float((10 * np.log10(255**2 / np.maximum(errors, 255**2 / 1e10))).mean())


def picture(shape: tuple[int, int, int, int], seed: int = 0) -> Array:
    """A random `(N, C, H, W)` float32 image on [0, 1] with the 1/f amplitude spectrum of natural images.

    Spectrum: Field, "Relations between the statistics of natural images", J. Opt. Soc. Am. A 4, 1987.
    """
    rows, columns = shape[-2:]
    frequency = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns)[None, :])
    frequency[0, 0] = np.inf  # no mean
    noise = np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)
    image = np.fft.irfft2(np.fft.rfft2(noise) / frequency, s=(rows, columns))
    spread = image.std(axis=(-2, -1), keepdims=True)
    values: Array = np.clip(0.5 + 0.2 * image / np.maximum(spread, 1e-12), 0, 1).astype(np.float32)
    return values


def shrink(high: Array, scale: int) -> Array:
    """Means of `scale` x `scale` boxes: `(N, C, scale*H, scale*W)` to `(N, C, H, W)`."""
    n, c, rows, columns = high.shape
    boxes = high.reshape(n, c, rows // scale, scale, columns // scale, scale)
    means: Array = boxes.mean(axis=(3, 5), dtype=np.float64).astype(np.float32)
    return means
