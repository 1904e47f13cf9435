"""A method as a road takes it: a module of its own, fresh images, and the eager image to compare with."""

import re
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from upbench.bench.adapters import Adapter
from upbench.bench.deploy.verdicts import Image, Trial, difference
from upbench.bench.errors import SkippedError
from upbench.bench.inputs import random_images
from upbench.bench.upsampler import build

CPU = torch.device("cpu")
Shape = tuple[int, int, int, int]
EXPORTED: Shape = (1, 3, 256, 256)
ELSEWHERE: tuple[Shape, ...] = ((1, 3, 96, 40), (1, 3, 37, 150), (1, 3, 2, 3), (1, 3, 1, 9))
DARK = 0.3  # the second image at the exported size is that much darker: a branch on the values takes another way

SECONDS = 0.2  # of timed calls a side
FEWEST, MOST = 3, 30
LONG = 1.0  # seconds: of such calls one is timed
LONGEST_REASON = 300
EAGER = "eager: "  # begins the reason where the method itself has no such size


class Method(nn.Module):
    """An upsampler as a module; parameters ask for no gradient."""

    def __init__(self, upsample: Callable[[Tensor], Tensor]) -> None:
        """`upsample` takes and returns tensors."""
        super().__init__()
        self.upsample = upsample
        self.eval().requires_grad_(False)

    def forward(self, low: Tensor) -> Tensor:
        """`(N, C, H, W)` to `(N, C, scale*H, scale*W)`."""
        return self.upsample(low)


@dataclass
class Asked:
    """One method at one scale; `factor` instead, no whole number or one for each side, for a form that takes it."""

    adapter: Adapter
    scale: int
    factor: Any = None  # a float, or a pair for height and width
    models: dict[bool, tuple[Any, float]] = field(default_factory=dict)  # by `dynamic`: made once for all runtimes
    compiled: Callable[[Tensor], Any] | None = None  # for any size: its graphs serve the road of shapes, too

    def fresh(self, dtype: torch.dtype = torch.float32) -> Method:
        """A module that was never called. Raises `SkippedError` for a method on arrays of its own."""
        made = build(self.adapter, self.factor or self.scale, CPU, dtype)
        if made.native:
            raise SkippedError("it works on arrays of its own, not on tensors")
        return Method(made.upsample)

    @cached_property
    def eager(self) -> Method:
        """The module that no road touches: its images are what a road must give."""
        return self.fresh()

    def expected(self, low: Tensor) -> Image:
        """The eager image."""
        return array(self.call(self.eager, low))

    @staticmethod
    def call(function: Callable[[Tensor], Tensor], low: Tensor) -> Tensor:
        """A call on a copy of the image, without gradients."""
        with torch.no_grad():
            return function(low.clone())

    def trial(self, function: Callable[[Tensor], Any], low: Tensor, size: str = "", *, exported: bool = True) -> Trial:
        """Ask a road's function with an image, which `size` names; whatever it raises is the reason."""
        size = size or f"{low.shape[2]}x{low.shape[3]}"
        try:
            expected = self.expected(low)
        except Exception as error:  # the method itself has no such size
            return Trial(size=size, exported=True, reason=f"{EAGER}{reason(error)}")
        try:
            there = array(self.call(function, low))
        except Exception as error:
            return Trial(size=size, exported=exported, reason=reason(error))
        if there.shape != expected.shape:
            about = f"shape {there.shape} where {expected.shape} was due"
            wrong = difference(np.full_like(expected, np.inf), expected, self.scale)
            return Trial(size=size, exported=exported, reason=about, difference=wrong)
        return Trial(size=size, exported=exported, difference=difference(there, expected, self.scale))

    def trials(self, function: Callable[[Tensor], Any], elsewhere: Sequence[Shape] = ()) -> list[Trial]:
        """Two images at the exported size, then one at each of the others; sizes that eager refuses are left out."""
        low = random_images(EXPORTED, seed=EXPORTED[2])
        found = [self.trial(function, low), self.trial(function, low * DARK, "a darker image")]
        others = [random_images(shape, seed=shape[2]) for shape in elsewhere]
        found += [self.trial(function, other, exported=False) for other in others]
        return found[:2] + [trial for trial in found[2:] if not trial.reason.startswith(EAGER)]

    def times(self, function: Callable[[Tensor], Any]) -> dict[str, float]:
        """Milliseconds of a call at the exported size, eager and there, in turn."""
        low = random_images(EXPORTED)
        with torch.no_grad():
            return dict(zip(("ms_eager", "ms"), _times([self.eager, function], low), strict=True))


def _times(functions: Sequence[Callable[[Tensor], Any]], low: Tensor) -> list[float]:
    """Median milliseconds of processor time that each took; one thread is told to all of them."""
    first = [_seconds(function, low) for function in functions]
    calls = [_count(seconds) for seconds in first]
    found: list[list[float]] = [[] for _ in functions]
    for turn in range(max(calls)):
        for function, count, samples in zip(functions, calls, found, strict=True):
            if turn < count:
                samples.append(_seconds(function, low))
    return [1e3 * statistics.median(samples) for samples in found]


def _count(seconds: float) -> int:
    return 1 if seconds > LONG else min(MOST, max(FEWEST, int(SECONDS / max(seconds, 1e-6))))


def _seconds(function: Callable[[Tensor], Any], low: Tensor) -> float:
    start = time.process_time()
    function(low)
    return time.process_time() - start


def processor_seconds() -> float:
    """What this process and the compilers that it started have used so far."""
    own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


def array(high: Any) -> Image:
    """A result as float32 on the host."""
    tensor = high if isinstance(high, Tensor) else torch.as_tensor(high)
    return np.asarray(tensor.detach().to(torch.float32).contiguous().numpy())


def reason(error: BaseException) -> str:
    """An exporter's error in one line: what follows its summary, or its beginning, without colours and advice."""
    text = re.sub(r"\x1b?\[\d+(;\d+)*m", "", str(error))
    text = text.partition("## Exception summary")[2] or text
    for end in (
        "(Refer to the full stack trace",
        "Developer debug context",
        "from user code",
        "Set TORCHDYNAMO_VERBOSE",
    ):
        text = text.partition(end)[0]
    line = " ".join(re.sub(r"<class '([\w.]+\.)?(\w+)'>", r"\2", text).split())
    line = (
        f"{type(error).__name__}: {line}" if line and not re.match(r"\w*Error", line) else line or type(error).__name__
    )
    return line if len(line) <= LONGEST_REASON else line[: LONGEST_REASON - 4] + " ..."
