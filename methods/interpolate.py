"""`torch.nn.functional.interpolate`, one method for each mode.

All share half-pixel geometry (output pixel centre `i` lies at input `(i + 0.5) / scale - 0.5`) and a clamped
edge, unless the docstring says otherwise. Each takes the scale as `scale_factor`, or, with `form="size"`
(asked for as `bilinear@size`), as the output's size; at integer scales the two give the same pixels.
Source: PyTorch documentation of `torch.nn.functional.interpolate`.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from upbench.methods.claims import interpolator

Upsampler = Callable[[Tensor], Tensor]


def _size(low: Tensor, scale: Any) -> tuple[int, ...]:
    """The output's height and width, rounded down as torch does; `scale` is a factor or one for each."""
    factors = scale if isinstance(scale, tuple) else (scale, scale)
    sides = zip(low.shape[-2:], factors, strict=True)
    return tuple(side * factor if isinstance(factor, int) else math.floor(side * factor) for side, factor in sides)


def _interpolate(scale: int, form: str, **options: Any) -> Upsampler:
    if form == "scale_factor":
        return partial(F.interpolate, scale_factor=scale, **options)
    if form == "size":
        return lambda low: F.interpolate(low, size=_size(low, scale), **options)
    raise NotImplementedError(f"F.interpolate has no form {form!r}; it has scale_factor and size")


@interpolator
def nearest(scale: int, device: torch.device, dtype: torch.dtype, *, form: str = "scale_factor") -> Upsampler:
    """Nearest neighbour, index `floor(i / scale)`: at integer scales each pixel becomes a square."""
    return _interpolate(scale, form, mode="nearest")


@interpolator
def nearest_exact(scale: int, device: torch.device, dtype: torch.dtype, *, form: str = "scale_factor") -> Upsampler:
    """Nearest neighbour of the pixel centre; equals `nearest` at integer scales, differs at others."""
    return _interpolate(scale, form, mode="nearest-exact")


@interpolator
def area(scale: int, device: torch.device, dtype: torch.dtype, *, form: str = "scale_factor") -> Upsampler:
    """Adaptive average pooling, which while upsampling is nearest neighbour; torch has it for floats only."""
    if not dtype.is_floating_point:
        raise NotImplementedError(f"F.interpolate has no mode 'area' for {dtype}")
    return _interpolate(scale, form, mode="area")


@interpolator
def bilinear(scale: int, device: torch.device, dtype: torch.dtype, *, form: str = "scale_factor") -> Upsampler:
    """Triangle kernel over the 2x2 nearest pixels."""
    return _interpolate(scale, form, mode="bilinear")


@interpolator
def bilinear_align_corners(
    scale: int, device: torch.device, dtype: torch.dtype, *, form: str = "scale_factor"
) -> Upsampler:
    """Bilinear with the corner pixels' centres aligned: output `i` at input `i * (n - 1) / (scale * n - 1)`."""
    return _interpolate(scale, form, mode="bilinear", align_corners=True)


@interpolator
def bilinear_antialias(
    scale: int, device: torch.device, dtype: torch.dtype, *, form: str = "scale_factor"
) -> Upsampler:
    """Bilinear with `antialias=True`, which while upsampling changes nothing but the road."""
    return _interpolate(scale, form, mode="bilinear", antialias=True)


@interpolator
def bicubic(scale: int, device: torch.device, dtype: torch.dtype, *, form: str = "scale_factor") -> Upsampler:
    """Keys' cubic convolution with a = -0.75, as torch and OpenCV have it (Keys, 1981)."""
    return _interpolate(scale, form, mode="bicubic")


@interpolator
def bicubic_align_corners(
    scale: int, device: torch.device, dtype: torch.dtype, *, form: str = "scale_factor"
) -> Upsampler:
    """Bicubic (a = -0.75) with the corner pixels' centres aligned."""
    return _interpolate(scale, form, mode="bicubic", align_corners=True)


@interpolator
def bicubic_antialias(scale: int, device: torch.device, dtype: torch.dtype, *, form: str = "scale_factor") -> Upsampler:
    """Keys' cubic with a = -0.5 and weights renormalised at the edge, as Pillow has it: not torch's `bicubic`."""
    return _interpolate(scale, form, mode="bicubic", antialias=True)


@interpolator
def lanczos_antialias(scale: int, device: torch.device, dtype: torch.dtype, *, form: str = "scale_factor") -> Upsampler:
    """Lanczos of radius 3, renormalised at the edge, as Pillow has it: torch 2.15 and later, on a CPU.

    It compiles and exports for every size; torch's ONNX exporter has no word for it.
    """
    upsample = _interpolate(scale, form, mode="lanczos", antialias=True)
    try:
        upsample(torch.zeros(1, 1, 2, 2, device=device, dtype=dtype))
    except (NotImplementedError, ValueError) as error:  # ValueError: torch before 2.15
        reason = f"F.interpolate of torch {torch.__version__} has no mode 'lanczos' for {dtype} on {device.type}"
        raise NotImplementedError(reason) from error
    return upsample
