"""What a worker can be asked about upsamplers: import, build, check and call them. The other end of `walls`."""

import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from upbench.bench.adapters import lazily, sentence
from upbench.bench.conformance import conforming
from upbench.bench.errors import FailedError
from upbench.bench.upsampler import Upsampler, build
from upbench.bench.workers import limits
from upbench.bench.workers.sheet import Sheet

SEED = 0

Message = dict[str, Any]
T = TypeVar("T")


class Upsampling:
    """The upsamplers built so far, by key."""

    def __init__(self) -> None:
        """Nothing is built yet."""
        self.upsamplers: dict[str, Upsampler] = {}

    def begin(self, path: list[str], threads: int, memory: int | None, device: str, folder: str) -> Message:
        """Look for modules where the parent does, and keep to the limits; images are exchanged in `folder`."""
        sys.path[:] = path
        torch.set_num_threads(threads)
        limits.apply(memory, device)
        self.device = torch.device(device)
        self.low, self.high = Sheet(Path(folder) / "low"), Sheet(Path(folder) / "high")
        return {}

    def build(self, key: str, method: str, scale: int, dtype: str, check: bool) -> Message:
        """Import the method's module, call its factory and check what it makes."""
        for seed in (torch.manual_seed, np.random.seed, random.seed):
            seed(SEED)  # a factory may draw: the same numbers in every worker
        make = conforming if check else build
        made = _caught(lambda: make(lazily(method), scale, self.device, getattr(torch, dtype)))
        self.upsamplers[key] = made
        return {"native": made.native}

    def attempt(self, key: str, scale: int, low: Message) -> Message:
        """Upsample the images put on the sheet `low`; the result is on the sheet `high`."""
        images = self.low.take(low).to(self.device)
        with torch.inference_mode():
            high = _caught(lambda: self.upsamplers[key].attempt(images))
            n, c, h, w = low_shape = tuple(images.shape)
            if tuple(high.shape) != (n, c, scale * h, scale * w):
                raise FailedError(f"it returned shape {tuple(high.shape)} for an input of {low_shape}")
            return {"high": self.high.put(high)}

    def summary(self, method: str) -> Message:
        """The first line of the factory's docstring."""
        return {"summary": _caught(lazily(method).summary)}


def _caught(attempt: Callable[[], T]) -> T:
    """What would end a process ends the attempt."""
    try:
        return attempt()
    except (SystemExit, KeyboardInterrupt, GeneratorExit) as error:
        said = f": {sentence(error)}" if str(error) else ""
        raise FailedError(f"it raised {type(error).__name__}{said}") from error
