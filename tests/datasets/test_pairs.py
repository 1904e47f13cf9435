"""Each degradation against a computation of its own; no shift where none is promised."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from upbench.datasets import pairs, photos
from upbench.datasets.errors import DataError
from upbench.datasets.source import from_tensor

SCALES = [2, 3, 4, 8]
CENTRED = ["bicubic", "area", "gaussian"]


def random_images(n: int = 2, h: int = 48, w: int = 24, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, (n, 3, h, w), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("scale", SCALES)
def test_bicubic_is_pillows_within_a_few_levels(scale: int) -> None:
    """Pillow keeps 8 bits between its two passes, so it may be some levels off, and is equal on average."""
    whole = photos.photograph("astronaut")[:, :384, :240]
    low = pairs.degrade(whole[None], "bicubic", scale)[0]
    image = Image.fromarray(whole.permute(1, 2, 0).numpy())
    theirs = np.asarray(image.resize((240 // scale, 384 // scale), Image.Resampling.BICUBIC)).astype(int)
    difference = low.permute(1, 2, 0).numpy().astype(int) - theirs
    assert np.abs(difference).max() <= 4
    assert abs(difference.mean()) < 0.05


@pytest.mark.parametrize("scale", SCALES)
def test_area_is_the_mean_in_integers_with_halves_rounded_up(scale: int) -> None:
    images = random_images()
    found = pairs.degrade(images, "area", scale)
    for row, column in ((0, 0), (1, 2), (48 // scale - 1, 24 // scale - 1)):
        square = images[1, 2, row * scale : (row + 1) * scale, column * scale : (column + 1) * scale]
        exact = sum(int(value) for value in square.flatten())
        assert found[1, 2, row, column].item() == math.floor(exact / scale**2 + 0.5)


def test_area_rounds_a_tie_up_whatever_the_float_says() -> None:
    tie = torch.tensor([[0, 1], [1, 0]], dtype=torch.uint8).expand(1, 3, 2, 2)
    assert pairs.degrade(tie, "area", 2).flatten().tolist() == [1, 1, 1]


@pytest.mark.parametrize("scale", SCALES)
def test_nearest_takes_the_first_pixel_of_each_square_and_nearest_exact_the_middle_one(scale: int) -> None:
    images = random_images()
    middle = scale // 2
    assert torch.equal(pairs.degrade(images, "nearest", scale), images[..., 0::scale, 0::scale])
    assert torch.equal(pairs.degrade(images, "nearest-exact", scale), images[..., middle::scale, middle::scale])


@pytest.mark.parametrize("scale", SCALES)
def test_gaussian_is_a_blur_sampled_at_the_low_pixels_centres(scale: int) -> None:
    images = random_images(n=1, h=24, w=48)
    found = pairs.degrade(images, "gaussian", scale)
    sigma = scale / 2
    for row, column in ((0, 0), (24 // scale - 1, 5)):
        centre_y, centre_x = ((index + 0.5) * scale - 0.5 for index in (row, column))
        total = weight = 0.0
        for y in range(math.ceil(centre_y - 4.5 * sigma), math.floor(centre_y + 4.5 * sigma) + 1):
            for x in range(math.ceil(centre_x - 4.5 * sigma), math.floor(centre_x + 4.5 * sigma) + 1):
                share = math.exp(-((y - centre_y) ** 2 + (x - centre_x) ** 2) / (2 * sigma**2))
                total += share * int(images[0, 0, min(max(y, 0), 23), min(max(x, 0), 47)])
                weight += share
        assert abs(found[0, 0, row, column].item() - total / weight) <= 0.75


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("degradation", CENTRED)
def test_a_symmetric_image_stays_symmetric_so_nothing_is_shifted(degradation: str, scale: int) -> None:
    half = random_images(h=48, w=24)
    symmetric = torch.cat([half, half.flip(-1)], dim=-1)
    symmetric = torch.cat([symmetric, symmetric.flip(-2)], dim=-2)
    low = pairs.degrade(symmetric, degradation, scale).int()
    for axis in (-1, -2):
        assert (low - low.flip(axis)).abs().max() <= 1


@pytest.mark.parametrize("scale", [2, 4, 8])
@pytest.mark.parametrize("degradation", ["nearest", "nearest-exact"])
def test_decimation_is_shifted_by_as_much_as_is_said(degradation: str, scale: int) -> None:
    ramp = torch.arange(0, 240, 5, dtype=torch.uint8).expand(1, 3, 48, 48).contiguous()
    low = pairs.degrade(ramp, degradation, scale)[0, 0, 0].double() / 5
    centres = (torch.arange(48 // scale) + 0.5) * scale - 0.5
    assert (centres - low).mean().item() == pytest.approx(pairs.SHIFT_PIXELS[degradation](scale))


@given(st.integers(0, 255), st.sampled_from(SCALES), st.sampled_from(list(pairs.DEGRADATIONS)))
def test_a_constant_image_stays_that_constant(value: int, scale: int, degradation: str) -> None:
    low = pairs.degrade(torch.full((1, 3, 24, 48), value, dtype=torch.uint8), degradation, scale)
    assert low.shape == (1, 3, 24 // scale, 48 // scale)
    assert low.dtype == torch.uint8
    assert (low == value).all()


@pytest.mark.parametrize("degradation", pairs.DEGRADATIONS)
def test_an_image_does_not_depend_on_its_batch(degradation: str) -> None:
    images = random_images(n=3)
    assert torch.equal(pairs.degrade(images, degradation, 2)[1:2], pairs.degrade(images[1:2], degradation, 2))


@pytest.mark.parametrize("shape, scale", [((32, 32), 3), ((32, 30), 4), ((2, 2), 4)])
def test_a_scale_that_does_not_divide_the_image_is_told(shape: tuple[int, int], scale: int) -> None:
    with pytest.raises(DataError, match=f"scale {scale} does not divide a {shape[1]}x{shape[0]} image"):
        pairs.degrade(torch.zeros(1, 3, *shape, dtype=torch.uint8), "bicubic", scale)


def test_an_unknown_degradation_is_answered_with_the_choice() -> None:
    with pytest.raises(DataError, match="choose from bicubic, area, nearest, nearest-exact, gaussian"):
        pairs.degrade(random_images(), "bicubik", 2)


def test_pairs_keep_the_images_and_their_names() -> None:
    images = random_images(n=5, h=32, w=32)
    dataset = from_tensor(images, name="own", split="test", description="", limit=None, first_id=10)
    made = list(pairs.make_pairs(dataset, "area", 2))
    assert torch.equal(torch.cat([pair.high for pair in made]), images)
    assert [name for pair in made for name in pair.ids] == ["10", "11", "12", "13", "14"]
