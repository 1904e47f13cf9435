"""PSNR and SSIM per image, on the device, in batches; exactly scikit-image's definitions.

Images are compared as 8-bit files would be: `to_levels` clamps to [0, 1], scales to 0..255 and rounds.
Peak value and data range are 255 throughout.
"""

import functools
import math

import torch
from torch import Tensor

PEAK = 255.0
SSIM_SIGMA = 1.5
SSIM_RADIUS = 5  # scikit-image: int(3.5 * sigma + 0.5)
SSIM_WINDOW = 2 * SSIM_RADIUS + 1

# ITU-R BT.601 studio range, from RGB in [0, 255] to Y in [16, 235]
LUMA_WEIGHTS = (65.481 / 255, 128.553 / 255, 24.966 / 255)
LUMA_OFFSET = 16.0


def to_levels(images: Tensor) -> Tensor:
    """8-bit levels, as float32 in 0..255, of float `(N, C, H, W)` images in [0, 1] or of uint8 images.

    The product is taken in float64: one output value in ten of `bilinear` x2 lies half-way between two levels, and a
    product rounded to float32 would decide which way it goes (0.003 dB).
    """
    if images.dtype == torch.uint8:
        return images.to(torch.float32)
    return (images.double().clamp(0, 1) * PEAK).round().to(torch.float32)


def luma(levels: Tensor) -> Tensor:
    """Y of BT.601, studio range, unrounded, `(N, 1, H, W)` float64, of RGB levels `(N, 3, H, W)` in 0..255."""
    weights = torch.tensor(LUMA_WEIGHTS, dtype=torch.float64, device=levels.device)
    n, _, h, w = levels.shape
    return (weights @ levels.double().flatten(2)).reshape(n, 1, h, w) + LUMA_OFFSET


def crop(images: Tensor, border: int) -> Tensor:
    """Images without `border` pixels on each side."""
    return images[..., border : images.shape[-2] - border, border : images.shape[-1] - border]


def psnr_db(reference: Tensor, test: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB of each image, `(N,)` float64; inf where the two are identical.

    10 log10(255^2 / MSE), the mean over all channels and pixels, of levels `(N, C, H, W)` in 0..255.
    """
    # differences of 8-bit levels and their squares are exact in float32; their sum is not
    error = (reference - test).square().flatten(1).mean(dim=1, dtype=torch.float64)
    decibels: Tensor = 10 * torch.log10(PEAK**2 / error)
    return decibels


def ssim(reference: Tensor, test: Tensor) -> Tensor:
    """Structural similarity of each image in [-1, 1], `(N,)` float64, of levels `(N, C, H, W)` in 0..255.

    Gaussian window (sigma 1.5, 11x11), population covariance, K1 = 0.01, K2 = 0.03, mean over the pixels at least 5
    from the border and over channels, as `skimage.metrics.structural_similarity(gaussian_weights=True, sigma=1.5,
    use_sample_covariance=False, data_range=255)` has it. Source: Z. Wang et al., "Image quality assessment: from
    error visibility to structural similarity", 2004. Raises `ValueError` for images smaller than the window.
    """
    h, w = reference.shape[-2:]
    if min(h, w) < SSIM_WINDOW:
        raise ValueError(f"a {w}x{h} image is smaller than SSIM's {SSIM_WINDOW}x{SSIM_WINDOW} window")
    # With d = x - y both factors are 1 - (something of d) / (something of x and y), which is the usual formula
    # rewritten: d is small, so float32 keeps what matters. Variances do not change with the origin: centre it.
    origin = reference.to(torch.float32).mean(dim=(2, 3), keepdim=True)
    x, y = reference.to(torch.float32) - origin, test.to(torch.float32) - origin
    d = x - y
    mean_x, mean_d, mean_squares, mean_dd = _blur(torch.stack([x, d, x * x + y * y, d * d]))
    mean_y = mean_x - mean_d
    variances = mean_squares - mean_x**2 - mean_y**2
    variance_d = mean_dd - mean_d**2
    means = (mean_x + origin) ** 2 + (mean_y + origin) ** 2
    c1, c2 = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2
    similarity = (1 - mean_d**2 / (means + c1)) * (1 - variance_d / (variances + c2))
    values: Tensor = similarity.flatten(1).mean(dim=1, dtype=torch.float64)
    return values


def _blur(images: Tensor) -> Tensor:
    """Gaussian means over the windows that lie wholly inside: two products with banded matrices."""
    h, w = images.shape[-2:]
    return _band(h, images.device) @ images @ _band(w, images.device).mT


@functools.lru_cache(maxsize=64)
def _band(side: int, device: torch.device) -> Tensor:
    """`(side - 10, side)` matrix whose row i holds the window's weights at columns i..i+10."""
    weights = [math.exp(-0.5 * (k / SSIM_SIGMA) ** 2) for k in range(-SSIM_RADIUS, SSIM_RADIUS + 1)]
    rows = torch.zeros(side - SSIM_WINDOW + 1, side, dtype=torch.float64)
    for i in range(len(rows)):
        rows[i, i : i + SSIM_WINDOW] = torch.tensor(weights, dtype=torch.float64) / sum(weights)
    return rows.to(device, torch.float32)
