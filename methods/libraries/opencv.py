"""OpenCV's `cv2.resize`, one method for each filter, over one HxWxC array an image.

Half-pixel geometry and a clamped edge. float32 and float64 are computed as such; uint8 runs in OpenCV's
fixed-point arithmetic. OpenCV has a thread pool of its own, held here to torch's number of threads.
Source: OpenCV documentation, "Geometric Image Transformations", `InterpolationFlags`.
"""

import numpy as np
import torch
from torch import Tensor

from upbench.methods.claims import interpolator
from upbench.methods.libraries.guards import Array, Factory, array, check_cpu, check_dtype, library

MOST_CHANNELS = 128  # CV_CN_MAX of OpenCV 5; OpenCV 4 had 512


class _OpenCV:
    """Native form: a list of HxWxC arrays (OpenCV drops the last axis where C is 1)."""

    def __init__(self, scale: int, flag: str) -> None:
        self.cv2 = library("cv2", "opencv-python-headless")
        self.scale = scale
        self.flag = getattr(self.cv2, flag)

    def prepare(self, low: Tensor) -> list[Array]:
        if low.shape[1] > MOST_CHANNELS:
            raise NotImplementedError(f"OpenCV images have at most {MOST_CHANNELS} channels")
        self.cv2.setNumThreads(torch.get_num_threads())
        return list(np.ascontiguousarray(array(low).transpose(0, 2, 3, 1)))

    def __call__(self, low: list[Array]) -> list[Array]:
        scale, flag, resize = self.scale, self.flag, self.cv2.resize
        return [resize(image, None, fx=scale, fy=scale, interpolation=flag) for image in low]

    def restore(self, high: list[Array]) -> Tensor:
        values = torch.from_numpy(np.stack(high))
        return (values if values.ndim == 4 else values[..., None]).permute(0, 3, 1, 2).contiguous()


def _opencv(flag: str, definition: str) -> Factory:
    def factory(scale: int, device: torch.device, dtype: torch.dtype) -> _OpenCV:
        check_cpu(device, "OpenCV")
        check_dtype(dtype, (torch.float32, torch.float64, torch.uint8), "OpenCV")
        return _OpenCV(scale, flag)

    factory.__doc__ = f"{definition} Source: OpenCV, `cv2.{flag}`."
    return interpolator(factory)


nearest = _opencv("INTER_NEAREST", "Nearest neighbour, index `floor(i / scale)`, by OpenCV.")
linear = _opencv("INTER_LINEAR", "Triangle kernel over the 2x2 nearest pixels, by OpenCV.")
cubic = _opencv("INTER_CUBIC", "Keys' cubic with a = -0.75, edge clamped, by OpenCV (Keys, 1981).")
lanczos4 = _opencv("INTER_LANCZOS4", "Lanczos kernel of 4 lobes (8 taps), normalised, edge clamped, by OpenCV.")
area = _opencv("INTER_AREA", "Pixel area relation, by OpenCV: at integer upscaling it is nearest neighbour.")
