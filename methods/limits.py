"""What our own upsamplers accept, refused in one plain sentence each."""

from collections.abc import Callable

import torch

# Whether a graph is being captured of the call that asks; a torch of 2.0 has no way to ask, and captures none of ours.
is_compiling: Callable[[], bool] = getattr(getattr(torch, "compiler", None), "is_compiling", bool)

SCALES = range(2, 9)
FLOATS = (torch.float64, torch.float32, torch.float16, torch.bfloat16)


def require(scale: int, dtype: torch.dtype) -> None:
    """Raise `NotImplementedError` unless the scale is an integer from 2 to 8 and the dtype in `FLOATS`."""
    if scale not in SCALES:
        raise NotImplementedError(f"it has integer scales from {SCALES[0]} to {SCALES[-1]} only, not {scale}")
    if dtype not in FLOATS:
        raise NotImplementedError(f"it works on floating-point images only, not on {dtype}")


def working_dtype(dtype: torch.dtype) -> torch.dtype:
    """The dtype to calculate in where half precision is not enough or not offered: float32 for 16 bits."""
    return dtype if torch.finfo(dtype).bits >= 32 else torch.float32
