"""Devices as torch knows them."""

import functools

import torch

from upbench.bench.errors import UsageError


@functools.lru_cache(maxsize=8)
def device(name: str) -> torch.device:
    """The device `cpu`, `cuda` or `cuda:N`; raises `UsageError` when this torch cannot use it."""
    wanted = torch.device(name)
    if wanted.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (wanted.index or 0) >= count:
            seen = f"{count} CUDA device{'s' if count > 1 else ''}" if count else "no CUDA device"
            raise UsageError(f"This torch sees {seen}, so there is no {name!r}; run with --device cpu.")
    return wanted
