"""Pixel shuffle: what it equals, and why the tutorial's call fails."""

import pytest
import torch
import torch.nn.functional as F

from upbench.methods import subpixel

CPU = torch.device("cpu")
SCALES = [2, 3, 4, 8]


def test_the_articles_own_call_fails_because_3_is_not_divisible_by_4() -> None:
    with pytest.raises(RuntimeError, match="divisible"):
        F.pixel_shuffle(torch.randn(1, 3, 4, 4), 2)
    assert "F.pixel_shuffle(torch.randn(1, 3, 4, 4), 2)" in (subpixel.__doc__ or "")


@pytest.mark.parametrize("scale", SCALES)
def test_pixel_shuffle_equals_nearest(scale: int) -> None:
    low = torch.rand(2, 3, 7, 9)
    high = subpixel.pixel_shuffle(scale, CPU, torch.float32)(low)
    assert torch.equal(high, F.interpolate(low, scale_factor=scale, mode="nearest"))


def test_repeating_all_channels_in_turn_would_scramble_the_colours() -> None:
    red = torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1).expand(1, 3, 4, 4)
    scrambled = F.pixel_shuffle(red.repeat(1, 4, 1, 1), 2)
    ours = subpixel.pixel_shuffle(2, CPU, torch.float32)(red)
    assert torch.equal(ours[:, 0], torch.ones(1, 8, 8))
    assert not torch.equal(scrambled[:, 0], torch.ones(1, 8, 8))


def test_pixel_shuffle_takes_whole_numbers_too() -> None:
    low = torch.arange(3 * 4, dtype=torch.uint8).reshape(1, 3, 2, 2)
    high = subpixel.pixel_shuffle(2, CPU, torch.uint8)(low)
    assert torch.equal(high, low.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3))


@pytest.mark.parametrize("scale", SCALES)
def test_polyphase_weights_before_the_shuffle_equal_bicubic(scale: int) -> None:
    low = torch.rand(2, 3, 16, 12, generator=torch.Generator().manual_seed(scale))
    high = subpixel.pixel_shuffle_bicubic(scale, CPU, torch.float32)(low)
    torch.testing.assert_close(high, F.interpolate(low, scale_factor=scale, mode="bicubic"), rtol=0, atol=3e-6)
    exact = subpixel.pixel_shuffle_bicubic(scale, CPU, torch.float64)(low.double())
    torch.testing.assert_close(
        exact, F.interpolate(low.double(), scale_factor=scale, mode="bicubic"), rtol=0, atol=1e-12
    )


def test_polyphase_bicubic_at_two_is_within_5e7_of_bicubic() -> None:
    low = torch.rand(8, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    high = subpixel.pixel_shuffle_bicubic(2, CPU, torch.float32)(low)
    torch.testing.assert_close(high, F.interpolate(low, scale_factor=2, mode="bicubic"), rtol=0, atol=5e-7)


def test_a_convolution_declines_whole_numbers() -> None:
    with pytest.raises(NotImplementedError, match="floating point"):
        subpixel.pixel_shuffle_bicubic(2, CPU, torch.uint8)
