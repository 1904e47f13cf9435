"""A few images with every method's output, kept so that the report can be rebuilt from files alone.

`samples.npz` holds uint8 arrays `(N, 3, H, W)`: `high`, `low`, `before` (the exercise's originals), and for each method
`pairs/NAME` (upsampled from `low`) and `exercise/NAME` (the originals upsampled by four).
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from upbench.bench.adapters import Adapter
from upbench.bench.errors import FailedError, SkippedError
from upbench.bench.quality.evaluate import Pair, upsampled_levels
from upbench.bench.store import replacing
from upbench.bench.upsampler import build

COUNT = 4
EXERCISE_SCALE = 4


def collect(adapters: list[Adapter], pair: Pair, scale: int, device: torch.device) -> dict[str, Tensor]:
    """The first images of a pair, upsampled by every method that can, also by four."""
    arrays = {"high": pair.high[:COUNT], "low": pair.low[:COUNT], "before": pair.high[:COUNT]}
    tasks = (("pairs", arrays["low"], scale), ("exercise", arrays["before"], EXERCISE_SCALE))
    for adapter in adapters:
        for kind, low, factor in tasks:
            try:
                upsampler = build(adapter, factor, device, torch.float32)
                arrays[f"{kind}/{adapter.name}"] = upsampled_levels(upsampler, low.to(device), factor)
            except (SkippedError, FailedError):
                continue
    return arrays


def write(path: Path, arrays: Mapping[str, Tensor]) -> None:
    """Write `samples.npz` whole."""
    eight_bit = {name: array.to(torch.uint8).cpu().numpy() for name, array in arrays.items()}
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **eight_bit)
