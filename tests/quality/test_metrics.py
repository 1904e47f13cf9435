"""PSNR, SSIM and luma against scikit-image, and the rules that the figures keep."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import skimage.color
import skimage.data
import torch
from hypothesis import given
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor

from upbench.bench.quality import metrics

Images = tuple[Tensor, Tensor]


def levels(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).to(torch.float32)


def noise(n: int, h: int, w: int, seed: int = 0) -> Tensor:
    return levels(np.random.default_rng(seed).integers(0, 256, (n, 3, h, w)))


def disturbed(images: Tensor, sigma: float, seed: int = 1) -> Tensor:
    added = np.random.default_rng(seed).normal(0, sigma, images.shape)
    return (images + levels(added)).clamp(0, 255).round()


def photograph(name: str, side: int) -> Tensor:
    whole = getattr(skimage.data, name)()
    rows, columns = whole.shape[0] // side, whole.shape[1] // side
    tiles = whole[: rows * side, : columns * side].reshape(rows, side, columns, side, 3)
    return levels(tiles.transpose(0, 2, 4, 1, 3).reshape(-1, 3, side, side)[::7])


def smooth(h: int, w: int) -> Tensor:
    ramp = torch.linspace(3, 250, h)[:, None] + torch.linspace(0, 5, w)[None]
    return ramp.round().expand(2, 3, h, w).contiguous()


def flat(value: float) -> Tensor:
    return torch.full((2, 3, 16, 16), value)


PAIRS: dict[str, Callable[[], Images]] = {
    "random against random": lambda: (noise(8, 32, 32), noise(8, 32, 32, seed=9)),
    "random, a little noise": lambda: (noise(8, 32, 32), disturbed(noise(8, 32, 32), 3)),
    "photo, a little noise": lambda: (photograph("astronaut", 32), disturbed(photograph("astronaut", 32), 2)),
    "photo, one level": lambda: (photograph("coffee", 32), (photograph("coffee", 32) + 1).clamp(max=255)),
    "photo, blurred": lambda: (photograph("chelsea", 32), photograph("chelsea", 32).roll(1, dims=-1)),
    "photo, large": lambda: (photograph("astronaut", 256), disturbed(photograph("astronaut", 256), 8)),
    "smooth": lambda: (smooth(48, 40), disturbed(smooth(48, 40), 1)),
    "flat": lambda: (flat(128), flat(130)),
    "flat, bright": lambda: (flat(255), disturbed(flat(255), 2)),
    "black against white": lambda: (flat(0), flat(255)),
    "one pixel of difference": lambda: (
        flat(10),
        torch.cat([flat(10)[:1], flat(10)[:1].index_fill(3, torch.tensor(8), 12)]),
    ),
    "chessboard against its negative": lambda: (
        (torch.arange(16)[:, None] + torch.arange(16)).remainder(2).mul(255.0).expand(1, 3, 16, 16).contiguous(),
        (torch.arange(16)[:, None] + torch.arange(16) + 1).remainder(2).mul(255.0).expand(1, 3, 16, 16).contiguous(),
    ),
    "the smallest size": lambda: (noise(4, 11, 11), disturbed(noise(4, 11, 11), 20)),
    "tall": lambda: (noise(3, 40, 11), disturbed(noise(3, 40, 11), 20)),
    "wide": lambda: (noise(3, 12, 57), disturbed(noise(3, 12, 57), 20)),
}


def pairs() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", PAIRS)


@pairs()
@pytest.mark.filterwarnings("ignore:divide by zero")  # scikit-image's, for an identical pair
def test_psnr_is_scikit_images_within_1e4_db(name: str) -> None:
    reference, test = PAIRS[name]()
    theirs = [
        peak_signal_noise_ratio(a.numpy(), b.numpy(), data_range=255) for a, b in zip(reference, test, strict=True)
    ]
    np.testing.assert_allclose(metrics.psnr_db(reference, test).numpy(), theirs, rtol=0, atol=1e-4)


@pairs()
def test_ssim_is_scikit_images_within_1e6(name: str) -> None:
    reference, test = PAIRS[name]()
    theirs = [
        structural_similarity(
            a.double().numpy(),
            b.double().numpy(),
            channel_axis=0,
            data_range=255,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        for a, b in zip(reference, test, strict=True)
    ]
    np.testing.assert_allclose(metrics.ssim(reference, test).numpy(), theirs, rtol=0, atol=1e-6)


def test_luma_is_the_y_of_scikit_images_rgb2ycbcr() -> None:
    images = noise(3, 9, 14)
    theirs = skimage.color.rgb2ycbcr(images.permute(0, 2, 3, 1).numpy().astype(np.uint8))[..., 0]
    np.testing.assert_allclose(metrics.luma(images)[:, 0].numpy(), theirs, rtol=0, atol=1e-9)


def test_luma_runs_from_16_to_235() -> None:
    extremes = torch.stack([torch.zeros(3, 1, 1), torch.full((3, 1, 1), 255.0)])
    assert metrics.luma(extremes).flatten().tolist() == pytest.approx([16, 235])


def test_an_identical_pair_has_infinite_psnr_and_ssim_1() -> None:
    images = noise(2, 16, 16)
    assert metrics.psnr_db(images, images.clone()).tolist() == [math.inf, math.inf]
    assert metrics.ssim(images, images.clone()).tolist() == [1.0, 1.0]


IMAGES = st.tuples(st.integers(11, 24), st.integers(11, 24), st.integers(0, 2**31)).map(
    lambda drawn: noise(2, drawn[0], drawn[1], drawn[2])
)


@given(IMAGES)
def test_ssim_of_an_image_with_itself_is_1(images: Tensor) -> None:
    assert metrics.ssim(images, images).tolist() == [1.0, 1.0]


@given(IMAGES, st.floats(0.5, 80), st.integers(0, 1000))
def test_both_metrics_are_symmetric_and_bounded(images: Tensor, sigma: float, seed: int) -> None:
    other = disturbed(images, sigma, seed)
    for metric in (metrics.psnr_db, metrics.ssim):
        torch.testing.assert_close(metric(images, other), metric(other, images), rtol=0, atol=2e-6)
    assert metrics.ssim(images, other).abs().max() <= 1 + 1e-6


@given(IMAGES, st.integers(1, 20), st.integers(1, 20))
def test_psnr_falls_as_the_error_grows(images: Tensor, less: int, more: int) -> None:
    near, far = (metrics.psnr_db(images, images + error) for error in (less, less + more))
    assert (near > far).all()


@given(IMAGES)
def test_an_images_figures_do_not_depend_on_its_batch(images: Tensor) -> None:
    other = disturbed(images, 10)
    together = metrics.ssim(images, other)
    alone = torch.cat([metrics.ssim(images[i : i + 1], other[i : i + 1]) for i in range(2)])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-7)


def test_an_error_of_one_level_everywhere_is_48_13_db() -> None:
    assert metrics.psnr_db(flat(7), flat(8)).tolist() == pytest.approx([20 * math.log10(255)] * 2)


@pytest.mark.parametrize("h, w", [(10, 11), (11, 10), (1, 1), (4, 64)])
def test_an_image_smaller_than_the_window_is_refused_with_the_sizes(h: int, w: int) -> None:
    with pytest.raises(ValueError, match=f"a {w}x{h} image is smaller than SSIM's 11x11 window"):
        metrics.ssim(noise(1, h, w), noise(1, h, w))


def test_levels_are_clamped_and_rounded_not_truncated() -> None:
    values = torch.tensor([-0.3, 0.0, 0.4999 / 255, 0.5001 / 255, 127.6 / 255, 1.0, 1.7])
    assert metrics.to_levels(values).tolist() == [0, 0, 0, 1, 128, 255, 255]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_level_comes_back_from_its_float(dtype: torch.dtype) -> None:
    eight_bit = torch.arange(256, dtype=torch.uint8)
    assert metrics.to_levels(eight_bit.to(dtype) / 255).tolist() == list(range(256))
    assert metrics.to_levels(eight_bit).tolist() == list(range(256))


def test_cropping_takes_the_border_off_each_side() -> None:
    image = torch.arange(6 * 8).reshape(1, 1, 6, 8)
    assert torch.equal(metrics.crop(image, 2), image[..., 2:4, 2:6])
    assert torch.equal(metrics.crop(image, 0), image)
