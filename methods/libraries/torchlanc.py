"""torchlanc's `resize`: Lanczos with 3 lobes in torch, half-pixel geometry, edge clamped.

By default it converts from sRGB to linear light and back, which makes another image (up to 0.34 away); here
`color_space="srgb"` filters the values as they are, so that it compares with the others. Known defect of 1.1:
where an output centre lies right of (or below) its nearest input centre, at x2 in every odd column and row,
the window of six taps starts one too early: the kernel's outermost tap is dropped, the rest renormalised. It
keeps weights and batch sizes in files of its own, under `TORCHLANC_CACHE_DIR` or the user's cache.
Source: torchlanc (PyPI); Duchon, "Lanczos Filtering in One and Two Dimensions", 1979.
"""

from typing import Any

import torch
from torch import Tensor

from upbench.methods.claims import interpolator
from upbench.methods.libraries.guards import check_dtype, library

FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)

# The largest batch given to torchlanc in this process, by size of input and output.
_largest_batch: dict[tuple[int, ...], int] = {}


class _Lanczos:
    """Channels go through as a batch of planes: torchlanc takes 1, 3 or 4 channels and treats each alone."""

    def __init__(self, torchlanc: Any, scale: int) -> None:
        self.torchlanc = torchlanc
        self.scale = scale

    def __call__(self, low: Tensor) -> Tensor:
        n, c, h, w = low.shape
        self._forget_smaller_batches(n * c, h, w)
        planes = low.reshape(n * c, 1, h, w)
        # Weights that it keeps from a call in inference mode could not be used in a training step later.
        with torch.inference_mode(False):
            high = self.torchlanc.resize(planes, self.scale * h, self.scale * w, color_space="srgb")
        return torch.as_tensor(high).reshape(n, c, self.scale * h, self.scale * w)

    def _forget_smaller_batches(self, batch: int, h: int, w: int) -> None:
        """torchlanc cuts a batch into pieces as large as the first batch it saw of that size, for ever after.

        Without this, a check on two images would decide the speed of the batch of 256 that follows.
        """
        size = h, w, self.scale
        if batch > _largest_batch.get(size, batch):
            self.torchlanc.clear_profile_cache(persist=False)
            _largest_batch.clear()
        _largest_batch.setdefault(size, batch)


@interpolator
def lanczos3(scale: int, device: torch.device, dtype: torch.dtype) -> _Lanczos:
    """Lanczos kernel of 3 lobes on sRGB values as they are, edge clamped, one tap short, by torchlanc."""
    check_dtype(dtype, FLOATS, "torchlanc")
    torchlanc = library("torchlanc", "torchlanc")
    if not _largest_batch:
        torchlanc.clear_profile_cache(persist=False)  # what an earlier process left in its file
    return _Lanczos(torchlanc, scale)
