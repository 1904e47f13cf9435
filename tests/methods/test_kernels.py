"""Kernels against Pillow, torch's antialias, and the formulas written a second time, pixel by pixel."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from upbench.bench.adapters import discover
from upbench.bench.inputs import random_images
from upbench.bench.upsampler import build
from upbench.methods import filters

CPU = torch.device("cpu")


def upsampled(name: str, low: Tensor, scale: int) -> Tensor:
    return build(discover()[name], scale, CPU, low.dtype)(low)


def by_pillow(low: Tensor, scale: int, resample: Image.Resampling) -> Tensor:
    """Pillow on single float planes, which it keeps in 32-bit floats."""
    _, _, height, width = low.shape
    planes = [
        np.array(Image.fromarray(plane.numpy()).resize((scale * width, scale * height), resample))
        for plane in low.flatten(0, 1)
    ]
    return torch.from_numpy(np.stack(planes)).unflatten(0, low.shape[:2])


@pytest.mark.parametrize("scale", range(2, 9))
@pytest.mark.parametrize(
    ("name", "resample"),
    [
        ("catmull-rom", Image.Resampling.BICUBIC),
        ("hamming", Image.Resampling.HAMMING),
        ("lanczos3", Image.Resampling.LANCZOS),
        ("lanczos-antialias", Image.Resampling.LANCZOS),
    ],
)
def test_equals_pillow(name: str, resample: Image.Resampling, scale: int) -> None:
    if name == "lanczos-antialias" and tuple(map(int, torch.__version__.split(".")[:2])) < (2, 15):
        pytest.skip("torch has it from 2.15 on")
    low = random_images((2, 3, 9, 14))
    expected = by_pillow(low, scale, resample)
    tolerance = 2e-6 if name == "lanczos-antialias" else 1e-6  # torch makes its weights in float32
    torch.testing.assert_close(upsampled(name, low, scale), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_catmull_rom_equals_torch_bicubic_antialias(scale: int) -> None:
    low = random_images((2, 3, 16, 9), dtype=torch.float64)
    expected = F.interpolate(low, scale_factor=scale, mode="bicubic", antialias=True)
    torch.testing.assert_close(upsampled("catmull-rom", low, scale), expected, rtol=0, atol=1e-12)


def sinc(x: float) -> float:
    return 1.0 if x == 0 else math.sin(math.pi * x) / (math.pi * x)


def mitchell(x: float) -> float:
    x = abs(x)
    if x < 1:
        return (21 * x**3 - 36 * x**2 + 16) / 18
    return (-7 * x**3 + 36 * x**2 - 60 * x + 32) / 18 if x < 2 else 0.0


def lanczos(radius: int) -> Callable[[float], float]:
    return lambda x: sinc(x) * sinc(x / radius) if abs(x) < radius else 0.0


DEFINITIONS = {"mitchell": mitchell} | {f"lanczos{radius}": lanczos(radius) for radius in (2, 3, 4, 5)}


def weights(kernel: Callable[[float], float], scale: int, size: int) -> Tensor:
    """Every output against every input, renormalised over the pixels that exist."""
    rows = []
    for i in range(scale * size):
        row = [kernel((i + 0.5) / scale - 0.5 - j) for j in range(size)]
        rows.append([value / math.fsum(row) for value in row])
    return torch.tensor(rows, dtype=torch.float64)


@pytest.mark.parametrize("name", DEFINITIONS)
@pytest.mark.parametrize("scale", [2, 3, 4, 7])
def test_equals_its_formula(name: str, scale: int) -> None:
    low = random_images((1, 2, 5, 13), dtype=torch.float64)
    rows, columns = (weights(DEFINITIONS[name], scale, size) for size in (5, 13))
    expected = torch.einsum("ih,nchw,jw->ncij", rows, low, columns)
    torch.testing.assert_close(upsampled(name, low, scale), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["catmull-rom", "hamming", "lanczos2", "lanczos3", "lanczos4", "lanczos5"])
def test_keeps_known_pixels_at_odd_scales(name: str) -> None:
    low = random_images((1, 1, 8, 8), dtype=torch.float64)
    torch.testing.assert_close(upsampled(name, low, 3)[..., 1::3, 1::3], low, rtol=0, atol=1e-12)


def test_mitchell_does_not_keep_known_pixels() -> None:
    low = random_images((1, 1, 8, 8), dtype=torch.float64)
    assert (upsampled("mitchell", low, 3)[..., 1::3, 1::3] - low).abs().max() > 0.01


@pytest.mark.parametrize("size", [1, 2, 16])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_shrinking_equals_torch_antialias(scale: int, size: int) -> None:
    high = random_images((1, 1, 4, scale * size), dtype=torch.float64)
    expected = F.interpolate(high, size=(4, size), mode="bicubic", antialias=True)
    weight = torch.from_numpy(filters.shrinking(filters.CATMULL_ROM, scale, size))
    torch.testing.assert_close(high @ weight.T, expected, rtol=0, atol=1e-12)
