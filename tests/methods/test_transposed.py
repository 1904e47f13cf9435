"""Transposed convolution: what the fixed kernels equal, and what goes wrong with the usual ones."""

import pytest
import torch
import torch.nn.functional as F

from upbench.methods import transposed

CPU = torch.device("cpu")
SCALES = [2, 3, 4, 8]


@pytest.mark.parametrize("scale", SCALES)
def test_transposed_nearest_equals_nearest(scale: int) -> None:
    low = torch.rand(2, 3, 7, 9)
    high = transposed.transposed_nearest(scale, CPU, torch.float32)(low)
    assert torch.equal(high, F.interpolate(low, scale_factor=scale, mode="nearest"))


@pytest.mark.parametrize("scale", SCALES)
def test_transposed_bilinear_equals_bilinear_up_to_the_border(scale: int) -> None:
    low = torch.rand(2, 3, 7, 9)
    high = transposed.transposed_bilinear(scale, CPU, torch.float32)(low)
    torch.testing.assert_close(high, F.interpolate(low, scale_factor=scale, mode="bilinear"), rtol=0, atol=1e-6)


def test_zero_padding_would_darken_the_border() -> None:
    """The reason for the replicated pixel: corner 9/16, edge 3/4 of a constant."""
    line = torch.tensor([0.25, 0.75, 0.75, 0.25])
    kernel = torch.outer(line, line)[None, None]
    usual = F.conv_transpose2d(torch.ones(1, 1, 4, 4), kernel, stride=2, padding=1)
    assert usual[0, 0, 0, 0].item() == pytest.approx(9 / 16)
    assert usual[0, 0, 0, 4].item() == pytest.approx(3 / 4)
    ours = transposed.transposed_bilinear(2, CPU, torch.float32)(torch.ones(1, 1, 4, 4))
    torch.testing.assert_close(ours, torch.ones(1, 1, 8, 8))


@pytest.mark.parametrize("size, tile", [(3, [[1, 2], [2, 4]]), (2, [[1, 1], [1, 1]]), (4, [[4, 4], [4, 4]])])
def test_a_kernel_that_the_stride_does_not_divide_lays_a_checkerboard(size: int, tile: list[list[int]]) -> None:
    high = F.conv_transpose2d(torch.ones(1, 1, 8, 8), torch.ones(1, 1, size, size), stride=2)
    inside = high[0, 0, 5:7, 5:7]
    assert sorted(inside.flatten().tolist()) == sorted(float(value) for row in tile for value in row)


@pytest.mark.parametrize("kernel, padding, extra", [(2, 0, 0), (4, 1, 0), (3, 1, 1), (3, 0, 0), (5, 2, 1)])
def test_the_output_side_is_the_one_that_the_docstring_derives(kernel: int, padding: int, extra: int) -> None:
    layer = torch.nn.ConvTranspose2d(1, 1, kernel, stride=2, padding=padding, output_padding=extra)
    side = layer(torch.rand(1, 1, 6, 6)).shape[-1]
    assert side == (6 - 1) * 2 - 2 * padding + kernel + extra
    assert (side == 12) == (kernel + extra == 2 + 2 * padding)


def test_transposed_random_is_the_tutorials_layer_as_torch_starts_it() -> None:
    low = torch.rand(2, 3, 4, 5)
    torch.manual_seed(0)
    layer = torch.nn.ConvTranspose2d(3, 3, kernel_size=2, stride=2)
    with torch.inference_mode():
        assert torch.equal(transposed.transposed_random(2, CPU, torch.float32)(low), layer(low))


def test_transposed_random_varies_by_phase_on_a_constant_image() -> None:
    high = transposed.transposed_random(2, CPU, torch.float32)(torch.full((1, 3, 4, 4), 0.5)).detach()
    tile = high[0, :, :2, :2].flatten(1)
    assert tile.std(dim=1).max() > 0.05


def test_making_a_random_layer_leaves_the_callers_random_state_alone() -> None:
    before = torch.random.get_rng_state()
    transposed.transposed_random(2, CPU, torch.float32)(torch.rand(1, 3, 2, 2, generator=torch.Generator()))
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("name", ["transposed_nearest", "transposed_bilinear", "transposed_random"])
def test_any_number_of_channels_serves(name: str) -> None:
    high = getattr(transposed, name)(2, CPU, torch.float32)(torch.rand(1, 5, 4, 6))
    assert high.shape == (1, 5, 8, 12)


@pytest.mark.parametrize("name", ["transposed_nearest", "transposed_bilinear", "transposed_random"])
def test_whole_numbers_are_declined_with_a_reason(name: str) -> None:
    with pytest.raises(NotImplementedError, match="floating point"):
        getattr(transposed, name)(2, CPU, torch.uint8)
