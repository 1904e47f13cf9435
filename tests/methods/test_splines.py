"""B-splines against SciPy: `zoom` up to degree 5, and the interpolating spline of a long mirrored signal."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.interpolate import BSpline, make_interp_spline
from scipy.ndimage import zoom
from torch import Tensor

from upbench.bench.adapters import discover
from upbench.bench.inputs import random_images
from upbench.bench.upsampler import build
from upbench.methods import banded, splines

CPU = torch.device("cpu")


def upsampled(name: str, low: Tensor, scale: int) -> Tensor:
    return build(discover()[name], scale, CPU, low.dtype)(low)


@pytest.mark.parametrize(("name", "order"), [("spline3", 3), ("spline5", 5)])
@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("shape", [(16, 16), (20, 140)])
def test_equals_scipy_zoom(name: str, order: int, scale: int, shape: tuple[int, int]) -> None:
    """On lines under a dozen pixels SciPy starts its recursive prefilter approximately, so none is here."""
    low = random_images((1, 1, *shape), dtype=torch.float64)
    expected = zoom(low[0, 0].numpy(), scale, order=order, mode="reflect", grid_mode=True)
    torch.testing.assert_close(upsampled(name, low, scale)[0, 0], torch.from_numpy(expected), rtol=0, atol=1e-9)


def through(signal: NDArray[np.float64], degree: int, at: NDArray[np.float64]) -> NDArray[np.float64]:
    """The spline through the signal, mirrored until the far end cannot be felt."""
    n = len(signal)
    index = np.arange(-80, n + 80)
    mirrored = signal[np.where(index % (2 * n) < n, index % (2 * n), 2 * n - 1 - index % (2 * n))]
    return np.asarray(make_interp_spline(index, mirrored, k=degree)(at))


@pytest.mark.parametrize("degree", [3, 5, 7])
@pytest.mark.parametrize("scale", [2, 3, 8])
@pytest.mark.parametrize("size", [1, 2, 3, 12])
def test_equals_the_spline_of_a_mirrored_signal(degree: int, scale: int, size: int) -> None:
    signal = np.random.default_rng(0).random(size)
    at = (np.arange(size * scale) + 0.5) / scale - 0.5
    np.testing.assert_allclose(splines.matrix(degree, scale, size) @ signal, through(signal, degree, at), atol=1e-9)


@pytest.mark.parametrize("degree", [1, 3, 5, 7])
def test_basis_equals_scipy_basis_element(degree: int) -> None:
    half = (degree + 1) / 2
    x = np.linspace(-half + 1e-9, half - 1e-9, 101)
    expected = BSpline.basis_element(np.linspace(-half, half, degree + 2))(x)
    np.testing.assert_allclose(splines.b_spline(x, degree), expected, atol=1e-12)


@pytest.mark.parametrize("name", ["spline3", "spline5", "spline7"])
def test_keeps_known_pixels_at_odd_scales(name: str) -> None:
    low = random_images((1, 1, 8, 9), dtype=torch.float64)
    torch.testing.assert_close(upsampled(name, low, 5)[..., 2::5, 2::5], low, rtol=0, atol=1e-9)


def test_weights_hold_no_subnormal_number() -> None:
    """A tenth of a dense float32 spline matrix would be subnormal, which makes products 20 times slower."""
    matrix = splines.matrix(3, 2, 256)
    smallest = torch.finfo(torch.float32).tiny
    assert ((matrix != 0) & (np.abs(matrix) < smallest)).any()
    for part in banded.blocks(matrix, CPU, torch.float32):
        size = part.weights.abs()
        assert not ((size > 0) & (size < smallest)).any()
