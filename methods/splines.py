"""Interpolating B-splines: the spline of degree n through all pixels, sampled at the output's centres.

Unser, "Splines: A Perfect Fit for Signal and Image Processing", IEEE Signal Processing Magazine 16(6), 1999.
The image is mirrored at its border, the edge pixel repeated (d c b a | a b c d | d c b a), as
`scipy.ndimage.zoom` has it with `mode="reflect", grid_mode=True`. The prefilter is exact: the spline's
coefficients solve a linear system, which is folded into one matrix for each axis. Half-pixel geometry,
integer scales 2 to 8.
"""

from collections.abc import Callable
from functools import partial
from math import comb, factorial

import numpy as np
import torch
from torch import Tensor

from upbench.methods.banded import two_products
from upbench.methods.claims import interpolator
from upbench.methods.filters import Array, centres
from upbench.methods.limits import require
from upbench.methods.windows import both_axes, mirror, windows

REACH = {3: 22, 5: 34, 7: 46}  # pixels from which on the weights of a degree are below 1e-12


def b_spline(x: Array, degree: int) -> Array:
    """Centred B-spline of odd degree n: `sum_k (-1)^k C(n+1, k) max(0, (n+1)/2 - |x| - k)^n / n!`."""
    height = (degree + 1) // 2 - np.abs(x)
    terms = [(-1) ** k * comb(degree + 1, k) * np.maximum(0.0, height - k) ** degree for k in range((degree + 1) // 2)]
    return np.asarray(np.sum(terms, axis=0) / factorial(degree), dtype=np.float64)


def _sampling(at: Array, size: int, degree: int) -> Array:
    """Values at coordinates `at` of the splines centred on the `size` pixels and on their mirror images."""
    radius = (degree + 1) // 2
    index = np.floor(at)[:, None].astype(np.int64) + np.arange(1 - radius, radius + 1)
    folded = index % (2 * size)
    folded = np.where(folded < size, folded, 2 * size - 1 - folded)
    dense = np.zeros((len(at), size))
    np.add.at(dense, (np.arange(len(at))[:, None], folded), b_spline(at[:, None] - index, degree))
    return dense


def matrix(degree: int, scale: int, size: int) -> Array:
    """Weights `(scale * size, size)` of the pixels in the spline through them, at the output's centres."""
    at_pixels = _sampling(np.arange(size, dtype=np.float64), size, degree)
    at_outputs = _sampling(centres(scale, size), size, degree)
    return np.asarray(np.linalg.solve(at_pixels.T, at_outputs.T).T, dtype=np.float64)


def _spline(degree: int, scale: int, device: torch.device, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    require(scale, dtype)
    weights = partial(matrix, degree, scale)
    in_graph = both_axes(windows(weights, REACH[degree], mirror, device, dtype))
    return two_products(weights, device, dtype, in_graph)


@interpolator
def spline3(scale: int, device: torch.device, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """Interpolating cubic B-spline, mirrored at the edge: the pixels of `scipy-3`."""
    return _spline(3, scale, device, dtype)


@interpolator
def spline5(scale: int, device: torch.device, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """Interpolating quintic B-spline, mirrored at the edge: the pixels of `scipy-5`."""
    return _spline(5, scale, device, dtype)


@interpolator
def spline7(scale: int, device: torch.device, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """Interpolating B-spline of degree seven, mirrored at the edge."""
    return _spline(7, scale, device, dtype)
