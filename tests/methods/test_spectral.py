"""Spectral interpolation against SciPy's transforms and against cosines whose values are known everywhere."""

import math

import pytest
import torch
from scipy.fft import dctn, idctn
from torch import Tensor

from upbench.bench.adapters import discover
from upbench.bench.inputs import random_images
from upbench.bench.upsampler import build

CPU = torch.device("cpu")
both = pytest.mark.parametrize("name", ["dct", "fourier"])


def upsampled(name: str, low: Tensor, scale: int) -> Tensor:
    return build(discover()[name], scale, CPU, low.dtype)(low)


@both
@pytest.mark.parametrize("scale", range(2, 9))
@pytest.mark.parametrize("shape", [(1, 2), (7, 16), (140, 5)])
def test_equals_a_zero_padded_cosine_transform(name: str, scale: int, shape: tuple[int, int]) -> None:
    low = random_images((1, 1, *shape), dtype=torch.float64)
    spectrum = torch.zeros(scale * shape[0], scale * shape[1], dtype=torch.float64)
    spectrum[: shape[0], : shape[1]] = torch.from_numpy(dctn(low[0, 0].numpy(), norm="ortho"))
    expected = torch.from_numpy(idctn(scale * spectrum.numpy(), norm="ortho"))
    torch.testing.assert_close(upsampled(name, low, scale)[0, 0], expected, rtol=0, atol=1e-12)


@both
@pytest.mark.parametrize("scale", [2, 3])
@pytest.mark.parametrize("frequency", [1, 5, 11])
def test_a_cosine_stays_that_cosine(name: str, scale: int, frequency: int) -> None:
    """Cosines that fit the mirrored image are reproduced at every output centre, up to the last frequency."""

    def wave(size: int) -> Tensor:
        x = (torch.arange(size, dtype=torch.float64) + 0.5) / size
        return torch.cos(math.pi * frequency * x).expand(1, 1, 4 * size // 12, size)

    torch.testing.assert_close(upsampled(name, wave(12), scale), wave(12 * scale), rtol=0, atol=1e-12)


@both
def test_nothing_wraps_around(name: str) -> None:
    """A bright left border leaves the right one darker than a wrapped spectrum would."""
    low = torch.zeros(1, 1, 4, 32, dtype=torch.float64)
    low[..., 0] = 1
    assert upsampled(name, low, 2)[..., -1].abs().max() < 0.02
    padded = torch.fft.irfft(torch.fft.rfft(low), n=64) * 2
    assert padded[..., -1].abs().max() > 0.5
