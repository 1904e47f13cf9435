"""From an adapter's factory to the call that upsamples."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from upbench.bench.adapters import Adapter, sentence
from upbench.bench.errors import FailedError, SkippedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Upsampler:
    """What a factory returned: `restore(upsample(prepare(low)))`; only `upsample` is the method's own time."""

    prepare: Callable[[Tensor], Any]
    upsample: Callable[[Any], Any]
    restore: Callable[[Any], Tensor]
    native: bool

    def __call__(self, low: Tensor) -> Tensor:
        """Upsample `(N, C, H, W)` to `(N, C, scale*H, scale*W)`, conversions included."""
        return self.restore(self.upsample(self.prepare(low)))

    def attempt(self, low: Tensor) -> Tensor:
        """Upsample as a call does; raises `SkippedError` where the method declines, `FailedError` where it breaks."""
        try:
            high = self(low)
        except (NotImplementedError, ImportError) as error:
            raise SkippedError(sentence(error)) from error
        except Exception as error:
            raise FailedError(f"it raised {type(error).__name__}: {sentence(error)}") from error
        if not isinstance(high, Tensor):
            raise FailedError(f"it returned a {type(high).__name__}, not a tensor")
        return high


def build(adapter: Adapter, scale: int, device: torch.device, dtype: torch.dtype) -> Upsampler:
    """Call the factory (never timed).

    Raises `SkippedError` where the adapter declines the combination or misses a library, `FailedError` where
    it breaks.
    """
    factory = adapter.factory()
    try:
        made = factory(scale, device, dtype)
    except (NotImplementedError, ImportError) as error:
        raise SkippedError(sentence(error)) from error
    except Exception as error:
        raise FailedError(f"its factory raised {type(error).__name__}: {sentence(error)}") from error
    if not callable(made):
        raise FailedError("its factory returned nothing that can be called")
    return Upsampler(
        prepare=getattr(made, "prepare", _same),
        upsample=made,
        restore=getattr(made, "restore", _same),
        native=hasattr(made, "prepare"),
    )


def _same(value: Any) -> Any:
    return value
