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
    squares = (reference - test).square_()
    if squares.dtype == torch.float32 and squares.shape[-1] * PEAK**2 < 2**24:
        squares = squares.sum(dim=-1)  # whole numbers below 2^24: exact in float32, and far fewer to widen
    error = squares.flatten(1).sum(dim=1, dtype=torch.float64) / reference[0].numel()
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
    # With s = x + y and d = x - y, the usual formula's 2 x y is (s^2 - d^2) / 2 and its x^2 + y^2 is (s^2 + d^2) / 2;
    # the same holds of the variances and the covariance. So four windowed means do, and an identical pair is exactly 1.
    # Variances do not depend on the origin; with the image's mean as such float32 keeps more of them.
    reference, test = reference.to(torch.float32), test.to(torch.float32)
    origin = 2 * reference.mean(dim=(2, 3), keepdim=True)
    planes = reference.new_empty(4, *reference.shape)
    torch.add(reference, test, out=planes[0]).sub_(origin)
    torch.sub(reference, test, out=planes[1])
    torch.square(planes[:2], out=planes[2:])
    windowed = _blur(planes)
    means, mean_squares = windowed[:, :2], windowed[:, 2:]
    variance_s, variance_d = torch.addcmul(mean_squares, means, means, value=-1).unbind(dim=1)
    means[:, 0] += origin.flatten()
    square_s, square_d = means.square().unbind(dim=1)
    variance_s += 2 * (0.03 * PEAK) ** 2
    square_s += 2 * (0.01 * PEAK) ** 2
    similarity = (variance_s - variance_d).mul_(square_s - square_d)
    similarity /= variance_s.add_(variance_d).mul_(square_s.add_(square_d))
    values: Tensor = similarity.mean(dim=0).reshape(reference.shape[:2]).mean(dim=1, dtype=torch.float64)
    return values


def _blur(planes: Tensor) -> Tensor:
    """Gaussian means of `(P, N, C, H, W)` over the windows that lie wholly inside: `(windows, P, N * C)`.

    Two products with banded matrices. Each takes the last axis away and puts its result first, so that both are one
    wide product, and the images end up side by side.
    """
    p, n, c, h, w = planes.shape
    columns = _band(w, planes.device) @ planes.view(-1, w).mT
    rows = _band(h, planes.device) @ columns.view(-1, h).mT
    return rows.view(-1, p, n * c)


@functools.lru_cache(maxsize=64)
def _band(side: int, device: torch.device) -> Tensor:
    """`(side - 10, side)` matrix whose row i holds the window's weights at columns i..i+10."""
    weights = [math.exp(-0.5 * (k / SSIM_SIGMA) ** 2) for k in range(-SSIM_RADIUS, SSIM_RADIUS + 1)]
    rows = torch.zeros(side - SSIM_WINDOW + 1, side, dtype=torch.float64)
    for i in range(len(rows)):
        rows[i, i : i + SSIM_WINDOW] = torch.tensor(weights, dtype=torch.float64) / sum(weights)
    return rows.to(device, torch.float32)
