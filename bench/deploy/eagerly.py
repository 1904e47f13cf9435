"""Roads without a graph: lower precision, another memory layout, deterministic algorithms, gradients."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.gradcheck import GradcheckError

from upbench.bench.deploy.asked import Asked, reason
from upbench.bench.deploy.verdicts import OTHER, REFUSES, SAME, judge
from upbench.bench.inputs import random_images

Row = dict[str, Any]
SMALL = (1, 3, 4, 5)


def autocast(asked: Asked, dtype: torch.dtype) -> Row:
    """A float32 image under `torch.autocast`; the dtype that comes out is told."""
    module = asked.fresh()

    def cast(low: Tensor) -> Any:
        with torch.autocast("cpu", dtype=dtype):
            return module(low)

    out = str(Asked.call(cast, random_images(SMALL)).dtype).removeprefix("torch.")
    return judge(asked.trials(cast)) | asked.times(cast) | {"note": f"{out} comes out"}


def channels_last(asked: Asked) -> Row:
    """An image and weights in channels_last; whether it is kept is told."""
    module = asked.fresh().to(memory_format=torch.channels_last)

    def there(low: Tensor) -> Tensor:
        high: Tensor = module(low.to(memory_format=torch.channels_last))
        return high

    high = Asked.call(there, random_images((2, 3, 16, 16)))
    kept = high.is_contiguous(memory_format=torch.channels_last)
    return judge(asked.trials(there)) | asked.times(there) | {"note": "kept" if kept else "not kept"}


def deterministic(asked: Asked) -> Row:
    """Under `torch.use_deterministic_algorithms`."""
    module = asked.fresh()

    def there(low: Tensor) -> Any:
        torch.use_deterministic_algorithms(True)
        try:
            return module(low)
        finally:
            torch.use_deterministic_algorithms(False)

    return judge(asked.trials(there)) | asked.times(there)


def gradient(asked: Asked, check: Callable[..., bool], **options: Any) -> Row:
    """Derivatives in float64 against finite differences on a small image (`torch.autograd.gradcheck` and its kin).

    A derivative that comes out, and wrong, is no refusal.
    """
    low = random_images(SMALL, dtype=torch.float64).requires_grad_()
    try:
        check(asked.fresh(torch.float64), (low,), fast_mode=True, **options)
    except GradcheckError as error:
        if "mismatch" not in str(error):
            raise
        return {"verdict": OTHER, "reason": reason(error)}
    return {"verdict": SAME, "reason": ""}


def vmap(asked: Asked) -> Row:
    """`torch.func.vmap` against a loop, in float64."""
    module = asked.fresh(torch.float64)
    lows = torch.stack([random_images(SMALL, dtype=torch.float64, seed=seed) for seed in range(3)])
    together = torch.func.vmap(module)(lows)
    largest = (together - torch.stack([module(low) for low in lows])).abs().max().item()
    return {"verdict": SAME if largest < 1e-9 else OTHER, "reason": "", "largest": largest}


def refused(error: Exception) -> Row:
    """The row of a road that raised."""
    return {"verdict": REFUSES, "reason": reason(error)}
