"""Does an upsampler keep the contract? Checked before anything is measured, and in the tests for all of ours."""

import torch
from torch import Tensor

from upbench.bench import state
from upbench.bench.adapters import Adapter
from upbench.bench.errors import FailedError
from upbench.bench.inputs import random_images
from upbench.bench.upsampler import Upsampler, build

SHAPE = (2, 3, 16, 16)
CONSTANT_TOLERANCE = {
    torch.float64: 1e-6,
    torch.float32: 1e-5,
    torch.float16: 2e-3,
    torch.bfloat16: 1.6e-2,
    torch.uint8: 1.0,
}


def conforming(adapter: Adapter, scale: int, device: torch.device, dtype: torch.dtype) -> Upsampler:
    """Build the adapter's upsampler and check it on a small input.

    Raises `SkippedError` where it declines, `FailedError` with the first broken rule in one sentence. What it changed
    of the process's shared state is put back.
    """
    with state.watched((*state.SETTINGS, state.SEED), quiet=state.LOOSE):
        upsampler = build(adapter, scale, device, dtype)
    low = random_images(SHAPE, dtype=dtype, device=device, seed=1)
    other = random_images(SHAPE, dtype=dtype, device=device, seed=2)
    with state.watched(), torch.inference_mode():
        high = _call(upsampler, low, scale)
        _check_repeatable(upsampler, low, high, scale)
        _check_fresh(upsampler, low, other, high, scale)
        _check_own_memory(upsampler, low, other, scale)
        if adapter.claims_interpolation():
            _check_constant(upsampler, low, scale)
    return upsampler


def _call(upsampler: Upsampler, low: Tensor, scale: int) -> Tensor:
    before = low.clone()
    high = upsampler.attempt(low)
    check_kind(high, low, scale)
    if not torch.isfinite(high).all():
        raise FailedError("it returned NaN or infinite values")
    if not torch.equal(low, before):
        raise FailedError("it changed its input")
    return high.clone()


def check_kind(high: Tensor, low: Tensor, scale: int) -> None:
    """Raise `FailedError` unless it is a plain tensor of the due shape, dtype and device, without gradients."""
    n, c, h, w = low.shape
    expected = (n, c, scale * h, scale * w)
    if tuple(high.shape) != expected:
        raise FailedError(f"it returned shape {tuple(high.shape)} where {expected} was due")
    if high.dtype != low.dtype or high.device != low.device:
        raise FailedError(f"it returned {high.dtype} on {high.device} for an input of {low.dtype} on {low.device}")
    if type(high) is not Tensor:
        raise FailedError(f"it returned a {type(high).__name__}, a subclass of Tensor")
    if high.requires_grad and not low.requires_grad:
        raise FailedError("it returned a tensor that requires gradients where none are due")


def _check_repeatable(upsampler: Upsampler, low: Tensor, high: Tensor, scale: int) -> None:
    check_same(_call(upsampler, low, scale), high)


def check_same(high: Tensor, due: Tensor) -> None:
    """Raise `FailedError` where two images for the same input differ: at all on the CPU, beyond rounding on CUDA."""
    tolerance = 0.0 if due.device.type == "cpu" else CONSTANT_TOLERANCE[due.dtype]
    if (high.double() - due.double()).abs().max().item() > tolerance:
        raise FailedError("it returned another image for the same input")


def _check_own_memory(upsampler: Upsampler, low: Tensor, other: Tensor, scale: int) -> None:
    """An output lies in memory of its own: not in its input's (but for scale 1), not in an earlier output's."""
    first = upsampler.attempt(low)
    second = upsampler.attempt(other)
    if scale > 1 and (_overlap(first, low) or _overlap(second, other)):
        raise FailedError("it returned memory of its input")
    if _overlap(first, second):
        raise FailedError("it returned the memory of an earlier output")


def _overlap(one: Tensor, other: Tensor) -> bool:
    (start, size), (begin, length) = (
        (tensor.untyped_storage().data_ptr(), tensor.untyped_storage().nbytes()) for tensor in (one, other)
    )
    return start < begin + length and begin < start + size


def _check_fresh(upsampler: Upsampler, low: Tensor, other: Tensor, high: Tensor, scale: int) -> None:
    """New values in the same memory must give a new image: a result remembered by address is caught."""
    reused = low.clone()
    _call(upsampler, reused, scale)
    reused.copy_(other)
    if torch.equal(_call(upsampler, reused, scale), high):
        raise FailedError("it returned the same image for a new input (a remembered result)")


def _check_constant(upsampler: Upsampler, low: Tensor, scale: int) -> None:
    value = 102 if low.dtype == torch.uint8 else 0.4
    flat = torch.full_like(low, value)
    error = (_call(upsampler, flat, scale).double() - flat.flatten()[0].double()).abs().max().item()
    if error > CONSTANT_TOLERANCE[low.dtype]:
        raise FailedError(f"it claims to interpolate, yet a constant image changed by {error:.2g}")
