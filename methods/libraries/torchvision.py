"""torchvision's `transforms.v2.functional.resize` on tensors, with `antialias=True` as its default has it.

Half-pixel geometry, weights renormalised at the edge. It calls `F.interpolate`: `bilinear` gives the pixels
of our `bilinear`; `bicubic` those of `bicubic-antialias` (a = -0.5), not those of `bicubic`. Dtypes that
`F.interpolate` lacks are converted to float32 and back by torchvision itself.
Source: torchvision documentation of `torchvision.transforms.v2.functional.resize`.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from upbench.methods.claims import interpolator
from upbench.methods.libraries.guards import Factory, library


def _torchvision(mode: str, definition: str) -> Factory:
    def factory(scale: int, device: torch.device, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
        functional = library("torchvision.transforms.v2.functional", "torchvision", "torchvision")
        filter_ = functional.InterpolationMode[mode]

        def upsample(low: Tensor) -> Any:
            size = [scale * low.shape[-2], scale * low.shape[-1]]
            return functional.resize(low, size, interpolation=filter_)

        if mode == "LANCZOS":
            _try_lanczos(upsample, device, dtype)
        return upsample

    factory.__doc__ = f"{definition} Source: torchvision, `InterpolationMode.{mode}`."
    return interpolator(factory)


def _try_lanczos(upsample: Callable[[Tensor], Tensor], device: torch.device, dtype: torch.dtype) -> None:
    """Whether this torch has Lanczos for tensors on this device shows only when it is called."""
    try:
        upsample(torch.zeros(1, 3, 8, 8, dtype=dtype, device=device))
    except (NotImplementedError, ValueError) as error:
        place = f"{device.type} tensors in torch {torch.__version__}"
        raise NotImplementedError(f"torchvision has no Lanczos for {place}") from error


bilinear = _torchvision("BILINEAR", "Triangle kernel over the 2x2 nearest pixels, by torchvision.")
bicubic = _torchvision("BICUBIC", "Keys' cubic with a = -0.5 (antialiased, the default), by torchvision.")
lanczos = _torchvision("LANCZOS", "Lanczos kernel of 3 lobes, renormalised at the edge, by torchvision.")
