"""SciPy's `scipy.ndimage.zoom`: prefiltered B-spline interpolation of a given order, plane by plane.

`grid_mode=True` is half-pixel geometry (the default aligns the corner pixels' centres); `mode='reflect'`
mirrors the image about its outer pixel edges. Plane by plane, because `zoom` would work along N and C too. It
computes in float64; uint8 results are rounded and clipped by SciPy.
Source: SciPy documentation of `scipy.ndimage.zoom`; Unser, "Splines: a perfect fit", 1999.
"""

import numpy as np
import torch
from torch import Tensor

from upbench.methods.claims import interpolator
from upbench.methods.libraries.guards import Array, Factory, array, check_cpu, check_dtype, library


class _Zoom:
    """Native form: an `(N, C, H, W)` array."""

    def __init__(self, scale: int, order: int) -> None:
        self.zoom = library("scipy.ndimage", "SciPy", "scipy").zoom
        self.scale = scale
        self.options = {"order": order, "mode": "reflect", "grid_mode": True}

    def prepare(self, low: Tensor) -> Array:
        return array(low)

    def __call__(self, low: Array) -> Array:
        n, c, h, w = low.shape
        high = np.empty((n, c, self.scale * h, self.scale * w), low.dtype)
        for index in np.ndindex(n, c):
            self.zoom(low[index], self.scale, output=high[index], **self.options)
        return high

    def restore(self, high: Array) -> Tensor:
        return torch.from_numpy(high)


def _spline(order: int, definition: str) -> Factory:
    def factory(scale: int, device: torch.device, dtype: torch.dtype) -> _Zoom:
        check_cpu(device, "SciPy")
        check_dtype(dtype, (torch.float32, torch.float64, torch.uint8), "SciPy")
        return _Zoom(scale, order)

    factory.__doc__ = f"{definition} Source: SciPy, `scipy.ndimage.zoom(order={order})`."
    return interpolator(factory)


spline1 = _spline(1, "Linear spline (bilinear), edge mirrored, by SciPy.")
spline3 = _spline(3, "Prefiltered cubic B-spline, edge mirrored, by SciPy.")
spline5 = _spline(5, "Prefiltered quintic B-spline, edge mirrored, by SciPy.")
