"""Pillow's `Image.resize`, one method for each filter.

Half-pixel geometry; the taps that would fall outside the image are left out and the others renormalised.
Floats run plane by plane in mode `F` (32-bit, nothing is rounded or clipped). uint8 runs as `RGB` where there
are three channels and plane by plane as `L` elsewhere; Pillow rounds to 8 bit between its two passes.
Source: Pillow documentation, "Concepts", "Filters".
"""

import numpy as np
import torch
from torch import Tensor

from upbench.methods.claims import interpolator
from upbench.methods.libraries.guards import Factory, array, check_cpu, check_dtype, library

Images = list[list[object]]


class _Pillow:
    """Native form: for each image of the batch, a list of its Pillow images (one `RGB`, or one a channel)."""

    def __init__(self, scale: int, resample: str) -> None:
        self.image = library("PIL.Image", "Pillow", "Pillow")
        self.scale = scale
        self.filter = self.image.Resampling[resample]

    def prepare(self, low: Tensor) -> Images:
        values = array(low)
        if low.dtype == torch.uint8 and low.shape[1] == 3:
            values = np.ascontiguousarray(values.transpose(0, 2, 3, 1))[:, None]
        return [[self.image.fromarray(band) for band in image] for image in values]

    def __call__(self, low: Images) -> Images:
        return [[self._resize(band) for band in image] for image in low]

    def _resize(self, band: object) -> object:
        width, height = band.size  # type: ignore[attr-defined] # Pillow is imported at use
        return band.resize((self.scale * width, self.scale * height), self.filter)  # type: ignore[attr-defined]

    def restore(self, high: Images) -> Tensor:
        values = torch.from_numpy(np.stack([np.stack([np.asarray(band) for band in image]) for image in high]))
        return values if values.ndim == 4 else values.squeeze(1).permute(0, 3, 1, 2).contiguous()


def _pillow(resample: str, definition: str) -> Factory:
    def factory(scale: int, device: torch.device, dtype: torch.dtype) -> _Pillow:
        check_cpu(device, "Pillow")
        check_dtype(dtype, (torch.float32, torch.uint8), "Pillow")
        return _Pillow(scale, resample)

    factory.__doc__ = f"{definition} Source: Pillow, `Image.Resampling.{resample}`."
    return interpolator(factory)


nearest = _pillow("NEAREST", "Nearest neighbour of the pixel centre, by Pillow: each pixel becomes a square.")
box = _pillow("BOX", "Box of one input pixel's width, by Pillow: at integer scales, nearest neighbour.")
bilinear = _pillow("BILINEAR", "Triangle kernel over the 2x2 nearest pixels, by Pillow.")
hamming = _pillow("HAMMING", "Hamming-windowed sinc over 2x2 pixels, by Pillow: sharper than the triangle.")
bicubic = _pillow("BICUBIC", "Keys' cubic with a = -0.5, renormalised at the edge, by Pillow (Keys, 1981).")
lanczos = _pillow("LANCZOS", "Lanczos kernel of 3 lobes, renormalised at the edge, by Pillow.")
