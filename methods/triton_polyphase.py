"""The pixels of the `polyphase` methods from one Triton kernel (`triton_kernel`): both axes in one launch.

Any integer scale; float32, float16, bfloat16 and uint8, all summed in float32 and rounded once, to nearest and ties
to even (torch's own uint8 road keeps 8 bits between the axes and differs). The result is contiguous; an input that
is not, channels_last too, is copied first. Forward only.

A launch allocates nothing but its result and moves nothing from the host, so that a CUDA graph can capture it,
after one call with the same sizes outside the capture, which compiles. So far it has run in Triton's interpreter and
has been compiled for sm_90; it has not run on a GPU yet.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from upbench.methods import filters
from upbench.methods.claims import interpolator

DTYPES = (torch.float32, torch.float16, torch.bfloat16, torch.uint8)
ROWS = 16  # output rows of a program, as near as whole cells come
OUTPUTS_A_THREAD = 4  # neighbours, which float32 stores as 16 bytes


def _check(scale: int, device: torch.device, dtype: torch.dtype, *, interpreted: bool) -> None:
    if not isinstance(scale, int) or scale < 1:
        raise NotImplementedError(f"it has integer scales only, not {scale}")
    if dtype not in DTYPES:
        raise NotImplementedError(f"it has float32, float16, bfloat16 and uint8, not {dtype}")
    if device.type == "cuda" and interpreted:
        raise NotImplementedError("Triton's interpreter is on (TRITON_INTERPRET), which does not use the GPU")
    if device.type == "cpu" and not interpreted:
        raise NotImplementedError("it needs a GPU; a CPU has Triton's interpreter only (TRITON_INTERPRET=1)")
    if device.type not in ("cuda", "cpu"):
        raise NotImplementedError(f"it runs on CUDA devices, not on {device.type}")


def _block(width: int) -> int:
    """Columns of a program: of a few sizes the one that leaves the fewest lanes idle, the widest of equals."""
    sizes = (512, 256, 128) if width > 64 else (64, 32)
    return min(sizes, key=lambda size: -width % size)


def _polyphase(
    kernel: filters.Kernel, scale: int, device: torch.device, dtype: torch.dtype
) -> Callable[[Tensor], Tensor]:
    from upbench.methods import triton_kernel  # raises ImportError where Triton is absent

    _check(scale, device, dtype, interpreted=triton_kernel.INTERPRETED)
    upsample_strip: Any = triton_kernel.upsample_strip
    table = tuple(filters.cell(kernel, scale).ravel().tolist())
    cells = max(1, ROWS // scale)
    fixed = {"table": table, "scale": scale, "taps": 2 * kernel.radius, "clamp": kernel.clamp, "cells": cells}

    def upsample(low: Tensor) -> Tensor:
        if low.requires_grad and torch.is_grad_enabled():
            raise NotImplementedError("it has no backward pass")
        n, c, height, width = low.shape
        high = low.new_empty(n, c, scale * height, scale * width)
        if not high.numel():
            return high
        block = _block(scale * width)
        programs = n * c * -(-(height + 1) // cells) * -(-scale * width // block)
        with torch.cuda.device_of(low):  # type: ignore[no-untyped-call] # Triton launches on the current device
            upsample_strip[(programs,)](
                low.contiguous(),
                high,
                height,
                width,
                scale * width,
                **fixed,
                block=block,
                num_warps=max(1, block // (32 * OUTPUTS_A_THREAD)),
                enable_fp_fusion=True,
            )
        return high

    return upsample


@interpolator
def triton_polyphase_bilinear(scale: int, device: torch.device, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """The pixels of `bilinear`, two taps an axis, from one Triton kernel."""
    return _polyphase(filters.TRIANGLE, scale, device, dtype)


@interpolator
def triton_polyphase_bicubic(scale: int, device: torch.device, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """The pixels of `bicubic` (a = -0.75, edge clamped), four taps an axis, from one Triton kernel."""
    return _polyphase(filters.TORCH_CUBIC, scale, device, dtype)


@interpolator
def triton_polyphase_lanczos3(scale: int, device: torch.device, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """The pixels of `lanczos3` (edge renormalised), six taps an axis, from one Triton kernel."""
    return _polyphase(filters.LANCZOS[3], scale, device, dtype)
