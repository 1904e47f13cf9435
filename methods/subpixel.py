"""Pixel shuffle: channels become pixels.

`F.pixel_shuffle(x, r)` rearranges `(N, C*r*r, H, W)` into `(N, C, r*H, r*W)`, so it needs channels divisible by
r squared: `F.pixel_shuffle(torch.randn(1, 3, 4, 4), 2)`, often seen in tutorials, fails because 3 is not divisible
by 4. Something must make the C*r*r channels first; what that is decides the image.
Source: W. Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel
Convolutional Neural Network", CVPR 2016.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from upbench.methods import filters
from upbench.methods.claims import interpolator

Upsampler = Callable[[Tensor], Tensor]


@interpolator
def pixel_shuffle(scale: int, device: torch.device, dtype: torch.dtype) -> Upsampler:
    """Each channel repeated r*r times, then shuffled: equals `nearest`.

    The repetition is `repeat_interleave`, which keeps a channel's copies together; `x.repeat(1, r * r, 1, 1)`
    would scramble the colours.
    """

    def upsample(low: Tensor) -> Tensor:
        return F.pixel_shuffle(low.repeat_interleave(scale * scale, dim=1), scale)

    return upsample


@interpolator
def pixel_shuffle_bicubic(scale: int, device: torch.device, dtype: torch.dtype) -> Upsampler:
    """A convolution to C*r*r channels with bicubic weights per phase, then shuffled: equals `bicubic`.

    Output pixel `s*i + p` of phase p lies at input `i + (p + 0.5)/s - 0.5`, so all phases see the five pixels
    i-2..i+2; the weights are Keys' cubic with a = -0.75 at those distances, the edge is replicated.
    """
    if not dtype.is_floating_point:
        raise NotImplementedError(f"a convolution needs floating point, not {dtype}")
    offsets = (torch.arange(scale, dtype=torch.float64) + 0.5) / scale - 0.5
    taps = torch.arange(-2, 3, dtype=torch.float64)
    phases = torch.from_numpy(filters.TORCH_CUBIC.value((taps[None] - offsets[:, None]).numpy()))
    kernel = torch.einsum("pi,qj->pqij", phases, phases).reshape(scale**2, 1, 5, 5).to(device, dtype)

    def upsample(low: Tensor) -> Tensor:
        n, c, h, w = low.shape
        planes = F.pad(low, (2, 2, 2, 2), mode="replicate").reshape(n * c, 1, h + 4, w + 4)
        return F.pixel_shuffle(F.conv2d(planes, kernel).reshape(n, c * scale**2, h, w), scale)

    return upsample
