"""Whether a method still does, once the clock has stopped, what it did before: on one input that the clock never saw.

A result that is remembered, computed only when someone looks, or wrong from some call on is no fast call. A method on
arrays of its own is timed on four of them in turn; one that is twice as fast on an array that it has seen as on new
ones remembers them by value. What this cannot tell: one that gains less than that by remembering.
"""

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from upbench.bench.conformance import check_kind, check_same
from upbench.bench.errors import FailedError
from upbench.bench.upsampler import Upsampler

QUICK_SECONDS = 0.05  # a call this long is asked once only
FEWEST_PAIRS, PAIRS = 2, 5  # of calls on an array that was seen and on a new one; more only in doubt
REMEMBERED = 2.0  # so much faster, at its best, is no honest call


class Probe:
    """An input `(N, C, H, W)` for `function`, which is the upsampler's call or its training step."""

    def __init__(self, upsampler: Upsampler, function: Callable[[Any], Any], low: Tensor, scale: int) -> None:
        """Nothing is called yet."""
        self.upsampler, self.function, self.low, self.scale = upsampler, function, low, scale
        self.value = upsampler.prepare(low.clone())

    def begin(self) -> Any:
        """The first call; its output, which the later ones are held to."""
        return self.function(self.value)

    def check(self, output: Any, seconds: float) -> None:
        """Look at what `begin` returned and ask again; `seconds` is what a call took.

        Raises `FailedError` in one sentence.
        """
        if isinstance(output, tuple):  # gradients
            if not all(torch.isfinite(gradient).all() for gradient in self.function(self.value)):
                raise FailedError("its gradients had NaN or infinite values after the timing")
            return
        due = self.upsampler.restore(output).clone()
        try:
            check_same(self._asked(self.value), due)
            if seconds < QUICK_SECONDS:
                self._check_fresh(due)
                if self.upsampler.native:
                    self._check_new()
        except FailedError as error:
            raise FailedError(f"after the timing {error}") from error

    def _asked(self, value: Any) -> Tensor:
        high = self.upsampler.restore(self.function(value))
        check_kind(high, self.low, self.scale)
        if not torch.isfinite(high).all():
            raise FailedError("it returned NaN or infinite values")
        return high

    def _check_fresh(self, due: Tensor) -> None:
        """An input that differs in its last row must give another image."""
        if torch.equal(self._asked(self.upsampler.prepare(_changed(self.low))), due):
            raise FailedError("it returned the same image for a new input (a remembered result)")

    def _check_new(self) -> None:
        """Arrays that it never saw must not take much longer than one that it has seen; each at its best of a few."""
        seen: list[float] = []
        new: list[float] = []
        while len(seen) < FEWEST_PAIRS or min(new) > REMEMBERED * min(seen):
            if len(seen) == PAIRS:
                raise FailedError(f"it was {min(new) / min(seen):.1f} times slower on new arrays (a remembered result)")
            seen.append(self._seconds(self.value))
            new.append(self._seconds(self.upsampler.prepare(_changed(self.low))))

    def _seconds(self, value: Any) -> float:
        start = time.perf_counter()
        self.function(value)
        return time.perf_counter() - start


def _changed(low: Tensor) -> Tensor:
    """A copy whose last row has another, new content (kept in range)."""
    changed = low.clone()
    changed[..., -1, :] = (
        torch.rand(low.shape[-1])
        .to(low.device, torch.float32)
        .mul(255 if low.dtype == torch.uint8 else 1)
        .to(low.dtype)
    )
    return changed
