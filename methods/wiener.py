"""The best linear upsampler: for each output phase the 9x9 filter that is optimal on training pairs.

Each phase of the high-resolution image is predicted from the 9x9 low-resolution pixels around it, with the
least squared error (N. Wiener's filter for finite support, in polyphase form; the normal equations are solved
in float64). All channels share the filters; the border is replicated by 4 pixels.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from upbench.methods.pretrained import restore

TAPS = 9  # each way


class Wiener(nn.Module):
    """`scale**2` filters of `(9, 9)` taps, and a pixel shuffle; works on any number of channels."""

    def __init__(self, scale: int) -> None:
        """Filters of zeros, as `(scale**2, 1, 9, 9)`, ready to be loaded or solved for."""
        super().__init__()
        self.scale = scale
        self.filters = nn.Parameter(torch.zeros(scale**2, 1, TAPS, TAPS))

    def forward(self, low: Tensor) -> Tensor:
        """`(N, C, H, W)` to `(N, C, scale*H, scale*W)`, linear in the input."""
        n, c, h, w = low.shape
        planes = pad(low).reshape(n * c, 1, h + TAPS - 1, w + TAPS - 1)
        phases = F.conv2d(planes, self.filters)
        return F.pixel_shuffle(phases.reshape(n, c * self.scale**2, h, w), self.scale)


def pad(low: Tensor) -> Tensor:
    """Replicate the border by the filter's reach, so that each pixel has 9x9 around it."""
    return F.pad(low, [TAPS // 2] * 4, mode="replicate")


def solve(high: Tensor, low: Tensor) -> Tensor:
    """The filters `(s*s, 1, 9, 9)`, float64, that minimise the squared error on pairs of images.

    `high` is `(N, C, s*H, s*W)`, `low` is `(N, C, H, W)`, uint8 or floats. With a row of `A` for each pixel's
    neighbourhood and of `B` for its phases it solves `(A'A) X = A'B`. A trace of ridge (1e-9 of the mean
    diagonal) keeps images that lack a direction, such as constant ones, solvable.
    """
    scale = high.shape[-1] // low.shape[-1]
    gram = torch.zeros(TAPS**2, TAPS**2, dtype=torch.float64)
    moment = torch.zeros(TAPS**2, scale**2, dtype=torch.float64)
    for target, image in zip(torch.split(high, 100), torch.split(low, 100), strict=True):
        a = _neighbourhoods(image.flatten(0, 1)[:, None].double())
        b = F.pixel_unshuffle(target.flatten(0, 1)[:, None].double(), scale).movedim(1, -1).flatten(0, -2)
        gram += a.T @ a
        moment += a.T @ b
    gram += 1e-9 * gram.diagonal().mean() * torch.eye(TAPS**2, dtype=torch.float64)
    filters: Tensor = torch.linalg.solve(gram, moment).T
    return filters.reshape(scale**2, 1, TAPS, TAPS)


def _neighbourhoods(planes: Tensor) -> Tensor:
    columns: Tensor = F.unfold(pad(planes), TAPS).movedim(1, -1)
    return columns.flatten(0, -2)


def wiener(scale: int, device: torch.device, dtype: torch.dtype) -> nn.Module:
    """The linear 9x9 polyphase filter with the least squared error on CIFAR-10 training images."""
    return restore(Wiener, "wiener", scale, device, dtype)
