"""Laws that every interpolating method of ours keeps, whatever its kernel."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from upbench.bench.adapters import discover
from upbench.bench.conformance import conforming
from upbench.bench.errors import SkippedError
from upbench.bench.inputs import random_images
from upbench.bench.upsampler import Upsampler, build

CPU = torch.device("cpu")
FAMILIES = {"back_projection", "grid_sample", "kernels", "matmul", "polyphase", "spectral", "splines"}
NAMES = [name for name, adapter in discover().items() if adapter.family in FAMILIES]
FLOATS = (torch.float64, torch.float32, torch.float16, torch.bfloat16)

each = pytest.mark.parametrize("name", NAMES)
sizes = st.integers(1, 12)
scales = st.integers(2, 8)


def upsampler(name: str, scale: int, dtype: torch.dtype = torch.float64) -> Upsampler:
    return build(discover()[name], scale, CPU, dtype)


def test_all_of_them_are_found() -> None:
    assert len(NAMES) == 21


@each
@pytest.mark.parametrize("dtype", FLOATS)
def test_conforms(name: str, dtype: torch.dtype) -> None:
    if name == "grid-sample-bicubic" and dtype.itemsize == 2:
        pytest.skip("it declines 16 bits, which is tested by its own file")
    for scale in (2, 3, 8):
        conforming(discover()[name], scale, CPU, dtype)


@each
@pytest.mark.parametrize(
    ("scale", "dtype", "reason"),
    [
        (1, torch.float32, "from 2 to 8"),
        (9, torch.float32, "from 2 to 8"),
        (2, torch.uint8, "floating-point"),
    ],
)
def test_declines_with_a_reason(name: str, scale: int, dtype: torch.dtype, reason: str) -> None:
    with pytest.raises(SkippedError, match=reason):
        upsampler(name, scale, dtype)


@each
@settings(max_examples=5, deadline=None)
@given(height=sizes, width=sizes, scale=scales, value=st.floats(-1, 1))
def test_a_constant_stays(name: str, height: int, width: int, scale: int, value: float) -> None:
    high = upsampler(name, scale)(torch.full((2, 3, height, width), value, dtype=torch.float64))
    assert high.shape == (2, 3, scale * height, scale * width)
    torch.testing.assert_close(high, torch.full_like(high, value), rtol=0, atol=1e-9)


@each
@settings(max_examples=5, deadline=None)
@given(height=sizes, width=sizes, scale=scales, seed=st.integers(0, 99))
def test_commutes_with_flips_and_transposition(name: str, height: int, width: int, scale: int, seed: int) -> None:
    """A shift in any direction, or axes treated differently, would break one of the three."""
    upsample = upsampler(name, scale)
    low = random_images((1, 2, height, width), dtype=torch.float64, seed=seed)
    high = upsample(low)
    torch.testing.assert_close(upsample(low.flip(-1)), high.flip(-1), rtol=0, atol=1e-9)
    torch.testing.assert_close(upsample(low.flip(-2)), high.flip(-2), rtol=0, atol=1e-9)
    torch.testing.assert_close(upsample(low.mT), high.mT, rtol=0, atol=1e-9)


@each
@settings(max_examples=5, deadline=None)
@given(size=sizes, scale=scales, weight=st.floats(-2, 2))
def test_is_linear(name: str, size: int, scale: int, weight: float) -> None:
    upsample = upsampler(name, scale)
    a, b = (random_images((1, 1, size, 7), dtype=torch.float64, seed=seed) for seed in (1, 2))
    torch.testing.assert_close(upsample(a + weight * b), upsample(a) + weight * upsample(b), rtol=0, atol=1e-9)


@each
@pytest.mark.parametrize("scale", [2, 3])
def test_a_slope_keeps_its_place(name: str, scale: int) -> None:
    """No shift: over whole pixels, far from the border, the mean of a slope is where it was.

    Not pixel by pixel: only some of the kernels are exact on slopes.
    """
    low = torch.arange(64, dtype=torch.float64).expand(1, 1, 2, 64)
    high = upsampler(name, scale)(low)[0, 0, 0].view(64, scale)
    assert abs(high[16:48].mean().item() - low[0, 0, 0, 16:48].mean().item()) < 1e-3


@each
def test_layout_and_slicing_do_not_matter(name: str) -> None:
    upsample = upsampler(name, 2, torch.float32)
    low = random_images((3, 3, 11, 14))
    high = upsample(low)
    padded = torch.full((3, 3, 13, 16), torch.nan)
    padded[..., 1:-1, 1:-1] = low
    torch.testing.assert_close(upsample(low.contiguous(memory_format=torch.channels_last)), high)
    torch.testing.assert_close(upsample(padded[..., 1:-1, 1:-1]), high)


@each
@pytest.mark.parametrize("shape", [(2, 3, 9, 8), (1, 1, 3, 150)])
def test_has_the_gradient_of_a_linear_map(name: str, shape: tuple[int, int, int, int]) -> None:
    """`<upsample(x), y> = <x, gradient>`, also on the road that avoids writing in place."""
    upsample = upsampler(name, 2)
    low = random_images(shape, dtype=torch.float64, seed=1)
    with torch.inference_mode():
        high = upsample(low)  # the weights it keeps must also serve a later call with gradients
    low.requires_grad_()
    recorded = upsample(low)
    torch.testing.assert_close(recorded.detach(), high.clone())
    other = random_images(tuple(high.shape), dtype=torch.float64, seed=2)
    (gradient,) = torch.autograd.grad(recorded, low, other)
    torch.testing.assert_close((gradient * low).sum(), (recorded * other).sum())


@pytest.mark.parametrize("name", ["polyphase-bicubic", "matmul-bicubic"])
def test_survives_the_graph_capture_of_torch_compile(name: str) -> None:
    upsample = upsampler(name, 2, torch.float32)
    low = random_images((1, 3, 12, 130))
    captured = torch.compile(upsample.upsample, backend="eager")
    torch.testing.assert_close(captured(low), upsample(low))
