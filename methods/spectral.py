"""Band-limited interpolation: the spectrum is kept and zeros are put above it.

The image is mirrored at its border (the edge pixel repeated), so that nothing wraps around from the opposite
side, and its series is evaluated at the half-pixel centres of the output: no shift. `dct` and `fourier` give
the same pixels by two roads: the Fourier series of a mirrored signal is its cosine series, and has nothing at
the Nyquist frequency. (Zero-padding the spectrum of the bare image would give other pixels: what is at one
border would ring at the opposite one.) Integer scales 2 to 8.
"""

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from upbench.methods.banded import two_products
from upbench.methods.claims import interpolator
from upbench.methods.limits import require, working_dtype
from upbench.methods.weights import PerSize

PI = torch.tensor(math.pi, dtype=torch.float64)  # exporters may write a bare number in float32


def cosine_matrix(scale: int, size: int) -> Tensor:
    """Weights `(scale * size, size)`: a DCT-II of the pixels, and its cosine series at the output's centres.

    `w[i, j] = (2 sum_{k=0}^{n-1} cos(pi k (2 u_i + 1) / 2n) cos(pi k (2 j + 1) / 2n) - 1) / n`, with output
    `i` at input coordinate `u_i` (Ahmed, Natarajan and Rao, IEEE Trans. Computers, 1974, for the transform).
    """
    pixels = torch.arange(size, dtype=torch.float64)
    frequency = PI * pixels / (2 * size)
    centres = (torch.arange(scale * size, dtype=torch.float64) + 0.5) / scale - 0.5
    outputs = torch.cos((2 * centres + 1)[:, None] * frequency)
    inputs = torch.cos((2 * pixels + 1)[:, None] * frequency)
    return (2 * outputs @ inputs.T - 1) / size


@interpolator
def dct(scale: int, device: torch.device, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """Zero-padded cosine spectrum (DCT-II), transform and inverse in one matrix product for each axis.

    A graph of any height and width makes the matrices anew in each call.
    """
    require(scale, dtype)

    def in_graph(low: Tensor) -> Tensor:
        rows, columns = (cosine_matrix(scale, size).to(device, dtype) for size in low.shape[-2:])
        return rows @ (low @ columns.mT)

    return two_products(lambda size: cosine_matrix(scale, size).numpy(), device, dtype, in_graph)


def _shift(size: int, scale: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Phases `s exp(2 pi i k (1 / 2s - 1/2) / 2n)`, which move the first output to its half-pixel centre."""
    angle = PI * (0.5 / scale - 0.5) / size * torch.arange(size, dtype=torch.float64)
    return torch.complex(*(part.to(device, dtype) for part in (scale * torch.cos(angle), scale * torch.sin(angle))))


def _pad_spectrum(image: Tensor, phase: Tensor, scale: int) -> Tensor:
    """Interpolate the last axis, `(..., n)` to `(..., scale * n)`."""
    size = image.shape[-1]
    spectrum = torch.fft.rfft(torch.cat((image, image.flip(-1)), dim=-1))[..., :size]
    padded: Tensor = torch.fft.irfft(spectrum * phase, n=2 * scale * size)
    return padded[..., : scale * size]


@interpolator
def fourier(scale: int, device: torch.device, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """Zero-padded Fourier spectrum of the mirrored image by FFT: the pixels of `dct`, n log n instead of n^2.

    16-bit images are transformed in float32. It compiles and exports for every size; ONNX cannot pad complex numbers.
    """
    require(scale, dtype)
    working = working_dtype(dtype)
    phases = PerSize(partial(_shift, scale=scale, device=device, dtype=working))

    def upsample(low: Tensor) -> Tensor:
        height, width = low.shape[-2:]
        wide = _pad_spectrum(low.to(working), phases[width], scale)
        return _pad_spectrum(wide.mT, phases[height], scale).mT.to(dtype)

    return upsample
