"""kornia's `geometry.transform.resize`: `F.interpolate` with a size, half-pixel geometry, edge clamped.

Source: kornia documentation of `kornia.geometry.transform.resize`.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from upbench.methods.claims import interpolator
from upbench.methods.libraries.guards import Factory, library


def _kornia(mode: str, definition: str) -> Factory:
    def factory(scale: int, device: torch.device, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
        resize = library("kornia.geometry.transform", "kornia").resize

        def upsample(low: Tensor) -> Any:
            return resize(low, (scale * low.shape[-2], scale * low.shape[-1]), interpolation=mode)

        return upsample

    factory.__doc__ = f"{definition} Source: kornia, `resize(interpolation='{mode}')`."
    return interpolator(factory)


bilinear = _kornia("bilinear", "Triangle kernel over the 2x2 nearest pixels, by kornia.")
bicubic = _kornia("bicubic", "Keys' cubic with a = -0.75, edge clamped, by kornia (Keys, 1981).")
