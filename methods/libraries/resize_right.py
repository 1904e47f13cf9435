"""ResizeRight's `resize`: separable kernels with exact half-pixel centres, normalised per output pixel.

`pad_mode='replicate'` in place of the default zeros, which darken the border (2.3 dB on 32-pixel images).
Its weights are float32, and so would be what it makes of half-precision and uint8 images: these are declined.
Source: Shocher, "ResizeRight" (PyPI `resize-right`); Shocher et al., "From Discrete to Continuous
Convolutional Layers", 2020.
"""

from functools import partial

import torch

from upbench.methods.claims import interpolator
from upbench.methods.libraries.guards import Factory, check_dtype, library


def _resize_right(kernel: str, definition: str) -> Factory:
    def factory(scale: int, device: torch.device, dtype: torch.dtype) -> partial[torch.Tensor]:
        check_dtype(dtype, (torch.float32, torch.float64), "resize-right")
        made = library("resize_right", "resize-right")
        method = getattr(made.interp_methods, kernel)
        return partial(made.resize, scale_factors=scale, interp_method=method, pad_mode="replicate")

    factory.__doc__ = f"{definition} Source: resize-right, `interp_methods.{kernel}`."
    return interpolator(factory)


linear = _resize_right("linear", "Triangle kernel over the 2x2 nearest pixels, edge replicated, by resize-right.")
cubic = _resize_right("cubic", "Keys' cubic with a = -0.5, edge replicated, by resize-right (Keys, 1981).")
lanczos2 = _resize_right("lanczos2", "Lanczos kernel of 2 lobes, edge replicated, by resize-right.")
lanczos3 = _resize_right("lanczos3", "Lanczos kernel of 3 lobes, edge replicated, by resize-right.")
