"""Transposed convolution with fixed kernels, and as a tutorial leaves it.

`ConvTranspose2d(kernel_size=k, stride=s, padding=p, output_padding=o)` sets each input pixel, times the kernel, down
on an output grid `s` apart, and cuts `p` from every border: a side of n becomes `(n - 1) * s - 2p + k + o`.
For that to be `s * n` with no `output_padding` (which only appends rows and columns at one side), k must be
`s + 2p`. A kernel that `s` does not divide lays a checkerboard: neighbours get unequal numbers of terms.
Source: V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep learning", 2016;
A. Odena et al., "Deconvolution and Checkerboard Artifacts", Distill, 2016.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from upbench.methods.claims import interpolator

Upsampler = Callable[[Tensor], Tensor]


@interpolator
def transposed_nearest(scale: int, device: torch.device, dtype: torch.dtype) -> Upsampler:
    """Kernel of ones, kernel_size = stride = scale, no padding: the tiles just touch, so it equals `nearest`."""
    _require_float(dtype)
    kernel = torch.ones(1, 1, scale, scale, device=device, dtype=dtype)

    def upsample(low: Tensor) -> Tensor:
        return _each_channel(low, lambda planes: F.conv_transpose2d(planes, kernel, stride=scale))

    return upsample


@interpolator
def transposed_bilinear(scale: int, device: torch.device, dtype: torch.dtype) -> Upsampler:
    """Triangle kernel of size 2s - s % 2 (Long et al., 2015), edge replicated first: equals `bilinear`.

    kernel_size is 2s for even and 2s - 1 for odd scales, stride s, and padding (k - s) / 2, which gives s * n
    with output_padding 0. With the usual zero padding the border darkens (corner 0.56 of a constant); here
    one replicated pixel is put around the image and its s output pixels are cut off by a padding larger by s.
    """
    _require_float(dtype)
    size = 2 * scale - scale % 2
    distance = (torch.arange(size, dtype=torch.float64) - (size - 1) / 2).abs() / scale
    kernel = torch.outer(1 - distance, 1 - distance).to(device, dtype)[None, None]
    padding = (size - scale) // 2 + scale

    def upsample(low: Tensor) -> Tensor:
        padded = F.pad(low, (1, 1, 1, 1), mode="replicate")
        return _each_channel(padded, lambda planes: F.conv_transpose2d(planes, kernel, stride=scale, padding=padding))

    return upsample


def transposed_random(scale: int, device: torch.device, dtype: torch.dtype) -> Upsampler:
    """The tutorial's `nn.ConvTranspose2d(3, 3, kernel_size=2, stride=2)`, untrained: shows why it must be trained.

    Torch's default start under seed 0; at other scales kernel_size = stride = scale, and on a feature map of C
    channels C to C. It mixes the channels at random, so its images mean nothing; its time is the real one.
    """
    _require_float(dtype)
    layers = {3: _untrained(3, scale, device, dtype)}

    def upsample(low: Tensor) -> Tensor:
        channels = low.shape[1]
        if channels not in layers:
            layers[channels] = _untrained(channels, scale, device, dtype)
        high: Tensor = layers[channels](low)
        return high

    return upsample


def _untrained(channels: int, scale: int, device: torch.device, dtype: torch.dtype) -> torch.nn.ConvTranspose2d:
    # Weights born in inference mode could not serve a later call that needs gradients.
    with torch.inference_mode(mode=False), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return torch.nn.ConvTranspose2d(channels, channels, kernel_size=scale, stride=scale).to(device, dtype)


def _require_float(dtype: torch.dtype) -> None:
    if not dtype.is_floating_point:
        raise NotImplementedError(f"a convolution needs floating point, not {dtype}")


def _each_channel(images: Tensor, upsample: Upsampler) -> Tensor:
    """Treat each channel of `(N, C, H, W)` as a one-channel image, so that one kernel serves any C."""
    n, c, h, w = images.shape
    high = upsample(images.reshape(n * c, 1, h, w))
    return high.reshape(n, c, *high.shape[-2:])
