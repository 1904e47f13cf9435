"""Interpolation as two matrix products, `A x B^T`: the same pixels as the definition, at the speed of BLAS.

Half-pixel geometry, integer scales 2 to 8; the matrices are cached for each image size. Small images take one
dense product for each axis, larger ones (on a CPU) a product for each block of the band (`banded`). Kernels
and edge rules: `filters`.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from upbench.methods import filters
from upbench.methods.banded import kernel_products
from upbench.methods.claims import interpolator
from upbench.methods.limits import require


def _products(
    kernel: filters.Kernel, scale: int, device: torch.device, dtype: torch.dtype
) -> Callable[[Tensor], Tensor]:
    require(scale, dtype)
    return kernel_products(kernel, scale, device, dtype)


@interpolator
def matmul_bilinear(scale: int, device: torch.device, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """The pixels of `bilinear` by two matrix products."""
    return _products(filters.TRIANGLE, scale, device, dtype)


@interpolator
def matmul_bicubic(scale: int, device: torch.device, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """The pixels of `bicubic` (a = -0.75, edge clamped) by two matrix products."""
    return _products(filters.TORCH_CUBIC, scale, device, dtype)


@interpolator
def matmul_lanczos3(scale: int, device: torch.device, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """The pixels of `lanczos3`, which takes this road already; here to stand beside its neighbours."""
    return _products(filters.LANCZOS[3], scale, device, dtype)
