"""A few images with every method's output, kept so that the report can be rebuilt from files alone.

`samples.npz` holds uint8 arrays. Of the data: `high` and `low`, three images `(3, 3, H, W)`; `before`, the first of
them, the exercise's original; for each method `pairs/NAME` (from `low`) and `exercise/NAME` (the original upsampled by
four). Of a photograph that scikit-image ships: `photo/high` and `photo/low` (a fourth of it), both `(3, H, W)`, and for
each method `crop/NAME`: the square `photo/window` (int64: top, left, side) of its output at four times that.

Which images: those on which plain bicubic gains the median, the most and the least PSNR over nearest. Which square: the
one in which the middle half of the distinct outputs lies widest apart, the mean over its pixels.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from upbench.bench.quality.evaluate import Pair
from upbench.bench.quality.metrics import psnr_db, to_levels
from upbench.bench.store import replacing
from upbench.bench.workers.crew import Job
from upbench.datasets.pairs import degrade
from upbench.datasets.photos import photograph

CANDIDATES = 256  # images of the data among which three are chosen
EXERCISE_SCALE = 4
PHOTOGRAPH = "coffee"
WINDOW, STEP = 64, 8  # high-resolution pixels: the square's side, and the grid on which it may lie


class Samples:
    """Three images of a pair and a photograph: what is to be upsampled, and what is kept of it."""

    def __init__(self, pair: Pair, scale: int) -> None:
        """Choose the images of the pair."""
        self.scale = scale
        chosen = _telling(pair.high[:CANDIDATES], pair.low[:CANDIDATES])
        whole = photograph(PHOTOGRAPH)[None]
        small = degrade(whole, "bicubic", EXERCISE_SCALE)
        self.given = {"high": pair.high[chosen], "low": pair.low[chosen], "before": pair.high[chosen[:1]]}
        self.photo = {"photo/high": whole[0], "photo/low": small[0]}
        self.jobs = [
            _job(self.given["low"], scale),
            _job(self.given["before"], EXERCISE_SCALE),
            _job(small, EXERCISE_SCALE),
        ]

    def arrays(self, outputs: Mapping[str, Sequence[Tensor | None]]) -> dict[str, Tensor]:
        """All that `samples.npz` holds, from each method's outputs of the jobs."""
        arrays, photos = dict(self.given), dict[str, Tensor]()
        for name, (pair, exercise, photo) in outputs.items():
            arrays |= {f"pairs/{name}": pair} if pair is not None else {}
            arrays |= {f"exercise/{name}": exercise} if exercise is not None else {}
            photos |= {name: photo} if photo is not None else {}
        return arrays | (self.photo | _crops(photos) if photos else {})


def _job(low: Tensor, scale: int) -> Job:
    """Eight-bit images upsampled, as eight-bit levels."""
    return Job(low=low.float() / 255, scale=scale, keep=lambda high: to_levels(high).to(torch.uint8))


def _telling(high: Tensor, low: Tensor) -> list[int]:
    """The images on which plain bicubic gains the median, the most and the least over nearest."""
    size = high.shape[-2:]
    truth, small = to_levels(high), low.float() / 255
    nearest, bicubic = (to_levels(F.interpolate(small, size=size, mode=mode)) for mode in ("nearest", "bicubic"))
    gains = psnr_db(truth, bicubic).clamp(max=100) - psnr_db(truth, nearest).clamp(max=100)
    order = torch.argsort(gains, stable=True).tolist()
    return list(dict.fromkeys([order[len(order) // 2], order[-1], order[0]]))


def _crops(outputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The square in which the methods differ most, and what each made of it."""
    top, left = _where_they_differ(list(outputs.values()))
    part = (0, slice(None), slice(top, top + WINDOW), slice(left, left + WINDOW))
    window = {"photo/window": torch.tensor([top, left, WINDOW])}
    return window | {f"crop/{name}": output[part] for name, output in outputs.items()}


def _where_they_differ(outputs: list[Tensor]) -> tuple[int, int]:
    """Top and left of the square in which the middle half of the distinct outputs lies widest apart."""
    distinct = {output.cpu().numpy().tobytes(): output.cpu() for output in outputs}.values()
    ordered = torch.stack([output[0].float().mean(dim=0) for output in distinct]).sort(dim=0).values
    quarter = (len(ordered) - 1) // 4
    apart = ordered[len(ordered) - 1 - quarter] - ordered[quarter]
    means = F.avg_pool2d(apart[None, None], WINDOW, STEP)[0, 0]
    row, column = divmod(int(means.argmax()), means.shape[1])
    return row * STEP, column * STEP


def write(path: Path, arrays: Mapping[str, Tensor]) -> None:
    """Write `samples.npz` whole."""
    kept = {name: array.cpu().numpy() for name, array in arrays.items()}
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **kept)
