"""torch-interpol's `resize`: prefiltered B-spline interpolation in torch.

`anchor='e'` is half-pixel geometry (the default aligns the corner pixels' centres), `bound='dct2'` mirrors
the image about its outer pixel edges, and a factor is given for each axis (one alone scales only the last).
It computes pixel positions in the image's dtype, which puts bfloat16 and uint8 on wrong pixels (at 256 pixels
a difference of 0.9 on [0, 1]): only float32 and float64 are run.
Source: Balbastre, "torch-interpol"; Unser, "Splines: a perfect fit", 1999.
"""

from functools import partial

import torch

from upbench.methods.claims import interpolator
from upbench.methods.libraries.guards import Factory, check_dtype, library


def _spline(order: int, definition: str) -> Factory:
    def factory(scale: int, device: torch.device, dtype: torch.dtype) -> partial[torch.Tensor]:
        check_dtype(dtype, (torch.float32, torch.float64), "torch-interpol")
        resize = library("interpol", "torch-interpol").resize
        return partial(resize, factor=[scale, scale], anchor="e", bound="dct2", interpolation=order)

    factory.__doc__ = f"{definition} Source: torch-interpol, `resize(interpolation={order})`."
    return interpolator(factory)


spline1 = _spline(1, "Linear spline (bilinear), edge mirrored, by torch-interpol.")
spline3 = _spline(3, "Prefiltered cubic B-spline, edge mirrored, by torch-interpol.")
spline5 = _spline(5, "Prefiltered quintic B-spline, edge mirrored, by torch-interpol.")
