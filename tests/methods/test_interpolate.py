"""Each mode of `F.interpolate` against weights evaluated directly from its definition, in float64."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from upbench.methods import interpolate

CPU = torch.device("cpu")
SCALES = [2, 3, 4, 8]
Kernel = Callable[[float], float]


def triangle(x: float) -> float:
    return max(0.0, 1 - abs(x))


def keys(a: float) -> Kernel:
    """R. Keys, 1981, equation 15 with a free."""

    def kernel(x: float) -> float:
        x = abs(x)
        if x < 1:
            return (a + 2) * x**3 - (a + 3) * x**2 + 1
        if x < 2:
            return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a
        return 0.0

    return kernel


def half_pixel(i: int, n: int, scale: int) -> float:
    return (i + 0.5) / scale - 0.5


def aligned(i: int, n: int, scale: int) -> float:
    return i * (n - 1) / (scale * n - 1)


def matrix(n: int, scale: int, kernel: Kernel, centre: Callable[[int, int, int], float], edge: str) -> np.ndarray:
    """Weights from n input to scale * n output pixels, tap by tap."""
    weights = np.zeros((scale * n, n))
    for i in range(scale * n):
        x = centre(i, n, scale)
        for j in range(int(np.floor(x)) - 2, int(np.floor(x)) + 4):
            if edge == "clamp":
                weights[i, min(max(j, 0), n - 1)] += kernel(x - j)
            elif 0 <= j < n:
                weights[i, j] += kernel(x - j)
    return weights / weights.sum(axis=1, keepdims=True)


def evaluate(low: torch.Tensor, scale: int, *definition: object) -> np.ndarray:
    h, w = low.shape[-2:]
    return matrix(h, scale, *definition) @ low.numpy() @ matrix(w, scale, *definition).T


DEFINITIONS = {
    "bilinear": (triangle, half_pixel, "clamp"),
    "bilinear_align_corners": (triangle, aligned, "clamp"),
    "bilinear_antialias": (triangle, half_pixel, "renormalise"),
    "bicubic": (keys(-0.75), half_pixel, "clamp"),
    "bicubic_align_corners": (keys(-0.75), aligned, "clamp"),
    "bicubic_antialias": (keys(-0.5), half_pixel, "renormalise"),
}


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", DEFINITIONS)
def test_a_kernel_is_what_its_docstring_says(name: str, scale: int) -> None:
    low = torch.rand(2, 3, 7, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(scale))
    high = getattr(interpolate, name)(scale, CPU, torch.float64)(low)
    np.testing.assert_allclose(high.numpy(), evaluate(low, scale, *DEFINITIONS[name]), rtol=0, atol=1e-12)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", DEFINITIONS)
def test_float32_stays_close_to_the_definition(name: str, scale: int) -> None:
    low = torch.rand(1, 3, 16, 12, generator=torch.Generator().manual_seed(scale))
    high = getattr(interpolate, name)(scale, CPU, torch.float32)(low)
    np.testing.assert_allclose(high.numpy(), evaluate(low.double(), scale, *DEFINITIONS[name]), rtol=0, atol=2e-6)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", ["nearest", "nearest_exact", "area"])
def test_nearest_and_area_repeat_each_pixel_as_a_square(name: str, scale: int) -> None:
    low = torch.rand(2, 3, 7, 9)
    squares = np.repeat(np.repeat(low.numpy(), scale, axis=2), scale, axis=3)
    np.testing.assert_array_equal(getattr(interpolate, name)(scale, CPU, torch.float32)(low).numpy(), squares)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", [*DEFINITIONS, "nearest", "nearest_exact", "area"])
def test_the_form_by_size_gives_the_same_pixels(name: str, scale: int) -> None:
    low = torch.rand(1, 3, 10, 7)
    factory = getattr(interpolate, name)
    by_scale, by_size = (factory(scale, CPU, torch.float32, form=form)(low) for form in ("scale_factor", "size"))
    assert by_size.shape == (1, 3, 10 * scale, 7 * scale)
    torch.testing.assert_close(by_scale, by_size, rtol=0, atol=1e-6)


def test_a_form_that_interpolate_lacks_is_declined() -> None:
    with pytest.raises(NotImplementedError, match="no form 'matrix'"):
        interpolate.bilinear(2, CPU, torch.float32, form="matrix")


def test_area_declines_whole_numbers_because_torch_does() -> None:
    with pytest.raises(NotImplementedError, match="area"):
        interpolate.area(2, CPU, torch.uint8)
    with pytest.raises((NotImplementedError, RuntimeError)):
        F.interpolate(torch.zeros(1, 3, 4, 4, dtype=torch.uint8), scale_factor=2, mode="area")


def test_a_of_minus_one_half_is_another_method_than_minus_three_quarters() -> None:
    low = torch.rand(1, 3, 16, 16)
    ours, pillows = (
        factory(2, CPU, torch.float32)(low) for factory in (interpolate.bicubic, interpolate.bicubic_antialias)
    )
    assert (ours - pillows).abs().max() > 0.01


def test_interpolation_keeps_gradients() -> None:
    low = torch.rand(1, 3, 4, 4, requires_grad=True)
    interpolate.bicubic(2, CPU, torch.float32)(low).sum().backward()
    assert low.grad is not None
    torch.testing.assert_close(low.grad.sum(), torch.tensor(3 * 64.0))
