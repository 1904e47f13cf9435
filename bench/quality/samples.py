"""A few images with every method's output, kept so that the report can be rebuilt from files alone.

`samples.npz` holds uint8 arrays `(N, 3, H, W)`: `high`, `low`, `before` (the exercise's originals), and for each method
`pairs/NAME` (upsampled from `low`) and `exercise/NAME` (the originals upsampled by four).
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from upbench.bench.quality.evaluate import Pair
from upbench.bench.quality.metrics import to_levels
from upbench.bench.store import replacing
from upbench.bench.workers.crew import Job

Upsampled = Callable[[Sequence[Job]], list[dict[str, Tensor]]]  # jobs to each one's outputs by method

COUNT = 4
EXERCISE_SCALE = 4


def collect(upsampled: Upsampled, pair: Pair, scale: int) -> dict[str, Tensor]:
    """The first images of a pair, upsampled by every method that can, also by four."""
    arrays = {"high": pair.high[:COUNT], "low": pair.low[:COUNT], "before": pair.high[:COUNT]}
    pairs, exercise = upsampled([_job(arrays["low"], scale), _job(arrays["before"], EXERCISE_SCALE)])
    arrays |= {f"pairs/{name}": levels for name, levels in pairs.items()}
    return arrays | {f"exercise/{name}": levels for name, levels in exercise.items()}


def _job(low: Tensor, scale: int) -> Job:
    """Eight-bit images upsampled, as eight-bit levels."""
    return Job(low=low.float() / 255, scale=scale, keep=lambda high: to_levels(high).to(torch.uint8))


def write(path: Path, arrays: Mapping[str, Tensor]) -> None:
    """Write `samples.npz` whole."""
    eight_bit = {name: array.to(torch.uint8).cpu().numpy() for name, array in arrays.items()}
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **eight_bit)
