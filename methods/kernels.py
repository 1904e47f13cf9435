"""Classic resampling kernels, separable, with exact half-pixel phase.

At the edge the taps outside the image are dropped and the rest renormalised, as Pillow does: `catmull-rom`,
`hamming` and `lanczos3` are Pillow's BICUBIC, HAMMING and LANCZOS. Worked out as two matrix products
(`banded`). Integer scales 2 to 8. Formulas and sources: `filters`.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from upbench.methods import filters
from upbench.methods.banded import kernel_products
from upbench.methods.claims import interpolator
from upbench.methods.limits import require


def _resample(
    kernel: filters.Kernel, scale: int, device: torch.device, dtype: torch.dtype
) -> Callable[[Tensor], Tensor]:
    require(scale, dtype)
    return kernel_products(kernel, scale, device, dtype)


@interpolator
def catmull_rom(scale: int, device: torch.device, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """Keys' cubic convolution with a = -0.5, edge renormalised: the same pixels as `bicubic-antialias`."""
    return _resample(filters.CATMULL_ROM, scale, device, dtype)


@interpolator
def mitchell(scale: int, device: torch.device, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """Mitchell and Netravali's cubic with B = C = 1/3, edge renormalised: smooths, so known pixels change."""
    return _resample(filters.MITCHELL, scale, device, dtype)


@interpolator
def hamming(scale: int, device: torch.device, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """Sinc under a Hamming window of radius 1 (two taps), as Pillow's HAMMING; edge renormalised."""
    return _resample(filters.HAMMING, scale, device, dtype)


@interpolator
def lanczos2(scale: int, device: torch.device, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """Sinc under a sinc window of radius 2, four taps; edge renormalised."""
    return _resample(filters.LANCZOS[2], scale, device, dtype)


@interpolator
def lanczos3(scale: int, device: torch.device, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """Sinc under a sinc window of radius 3, six taps, as Pillow's LANCZOS; edge renormalised."""
    return _resample(filters.LANCZOS[3], scale, device, dtype)


@interpolator
def lanczos4(scale: int, device: torch.device, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """Sinc under a sinc window of radius 4, eight taps; edge renormalised (OpenCV's LANCZOS4 clamps)."""
    return _resample(filters.LANCZOS[4], scale, device, dtype)


@interpolator
def lanczos5(scale: int, device: torch.device, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """Sinc under a sinc window of radius 5, ten taps; edge renormalised."""
    return _resample(filters.LANCZOS[5], scale, device, dtype)
