"""Interpolation kernels and the weights they give at each output pixel, in float64.

Geometry is half-pixel everywhere: output pixel `i` lies at input coordinate `(i + 0.5) / scale - 0.5`.
Each row of weights is divided by its sum, so that a constant stays that constant.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """An even function of the distance in input pixels, zero from `radius` on, and its rule at the edge.

    `clamp` repeats the edge pixel outwards; otherwise taps outside the image are dropped and the weights that
    remain are renormalised, as Pillow and torch's `antialias=True` have it.
    """

    value: Callable[[Array], Array]
    radius: int
    clamp: bool = False


def triangle(x: Array) -> Array:
    """Linear B-spline: `1 - |x|`."""
    return np.maximum(0.0, 1.0 - np.abs(x))


def cubic(x: Array, *, b: float, c: float) -> Array:
    """Two-parameter cubic of Mitchell and Netravali, "Reconstruction Filters in Computer Graphics" (1988).

    `b = 0, c = -a` is Keys' cubic convolution (IEEE Trans. ASSP 29, 1981).
    """
    x = np.abs(x)
    near = (12 - 9 * b - 6 * c) * x**3 + (-18 + 12 * b + 6 * c) * x**2 + (6 - 2 * b)
    far = (-b - 6 * c) * x**3 + (6 * b + 30 * c) * x**2 + (-12 * b - 48 * c) * x + (8 * b + 24 * c)
    return np.where(x < 1, near, np.where(x < 2, far, 0.0)) / 6


def windowed_hamming(x: Array) -> Array:
    """Sinc under a Hamming window of radius 1: `sinc(x) (0.54 + 0.46 cos(pi x))`, as Pillow's HAMMING."""
    return np.where(np.abs(x) < 1, np.sinc(x) * (0.54 + 0.46 * np.cos(np.pi * x)), 0.0)


def lanczos(x: Array, *, radius: int) -> Array:
    """Sinc under the main lobe of a wider one: `sinc(x) sinc(x / radius)` (Duchon 1979, J. Appl. Meteor.)."""
    return np.where(np.abs(x) < radius, np.sinc(x) * np.sinc(x / radius), 0.0)


TRIANGLE = Kernel(value=triangle, radius=1, clamp=True)
TORCH_CUBIC = Kernel(value=partial(cubic, b=0.0, c=0.75), radius=2, clamp=True)
CATMULL_ROM = Kernel(value=partial(cubic, b=0.0, c=0.5), radius=2)
MITCHELL = Kernel(value=partial(cubic, b=1 / 3, c=1 / 3), radius=2)
HAMMING = Kernel(value=windowed_hamming, radius=1)
LANCZOS = {radius: Kernel(value=partial(lanczos, radius=radius), radius=radius) for radius in (2, 3, 4, 5)}


def centres(scale: int, size: int) -> Array:
    """Input coordinates of the `scale * size` output pixels, shape `(scale * size,)`."""
    return (np.arange(scale * size) + 0.5) / scale - 0.5


def taps(kernel: Kernel, scale: int, size: int) -> tuple[NDArray[np.int64], Array]:
    """Which pixels make each output, and by how much: indices and weights `(scale * size, 2 * radius)`.

    Indices lie inside the image; where a renormalised kernel has no pixel, the weight is zero.
    """
    centre = centres(scale, size)[:, None]
    index = np.floor(centre).astype(np.int64) + np.arange(1 - kernel.radius, kernel.radius + 1)
    weight = kernel.value(centre - index)
    inside = np.clip(index, 0, size - 1)
    if not kernel.clamp:
        weight = np.where(inside == index, weight, 0.0)
    return inside, weight / weight.sum(axis=1, keepdims=True)


def matrix(kernel: Kernel, scale: int, size: int) -> Array:
    """The same weights as a matrix `(scale * size, size)`: upsampling one axis is a product with it."""
    index, weight = taps(kernel, scale, size)
    dense = np.zeros((scale * size, size))
    np.add.at(dense, (np.arange(scale * size)[:, None], index), weight)
    return dense


def shrinking(kernel: Kernel, scale: int, size: int) -> Array:
    """Antialiased downsampling of one axis from `scale * size` pixels: weights `(size, scale * size)`.

    The kernel is stretched by the scale and renormalised at the edge, as in torch's `antialias=True`.
    """
    weight = kernel.value(np.subtract.outer(np.arange(size), centres(scale, size)))
    weights: Array = weight / weight.sum(axis=1, keepdims=True)
    return weights


def cell(kernel: Kernel, scale: int) -> Array:
    """Weights `(2 * radius, scale)` of the `scale` outputs that lie between two neighbouring input pixels.

    All of them read the same `2 * radius` inputs. The first lies on the left pixel at odd scales and half an
    output pixel to its right at even ones.
    """
    offset = (np.arange(scale) + (0.5 if scale % 2 == 0 else 0.0)) / scale
    weight = kernel.value(offset - np.arange(1 - kernel.radius, kernel.radius + 1)[:, None])
    weights: Array = weight / weight.sum(axis=0)
    return weights
