"""Scoring a method over pairs: the protocol, the summary, and what happens when it breaks half-way."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
import skimage.color
import torch
import torch.nn.functional as F
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor

from upbench.bench.adapters import Adapter, select
from upbench.bench.errors import FailedError, SkippedError
from upbench.bench.quality import evaluate
from upbench.bench.upsampler import Upsampler, build
from upbench.datasets import cifar10, pairs, photos
from upbench.datasets.source import from_tensor

CPU = torch.device("cpu")


@dataclass
class Pair:
    ids: list[str]
    high: Tensor
    low: Tensor


def random_pair(images: int = 3, side: int = 16, scale: int = 2, seed: int = 0) -> Pair:
    generator = torch.Generator().manual_seed(seed)
    high = torch.randint(0, 256, (images, 3, side, side), dtype=torch.uint8, generator=generator)
    return Pair([f"image {i}" for i in range(images)], high, high[..., ::scale, ::scale].contiguous())


def method(name: str, scale: int = 2) -> Upsampler:
    return build(select([name])[0], scale, CPU, torch.float32)


def from_function(function: object) -> Upsampler:
    return build(Adapter(name="own", module="own", load=lambda: lambda *_: function), 2, CPU, torch.float32)


def scikit_images_figures(high: Tensor, low: Tensor, mode: str, scale: int) -> dict[str, float]:
    """PSNR, SSIM and cropped PSNR-Y of an interpolation, image by image, with none of our code."""
    up = F.interpolate(low.float() / 255, scale_factor=scale, mode=mode).double().clamp(0, 1)
    found: dict[str, list[float]] = {"psnr_db": [], "ssim": [], "psnr_y_db": []}
    for a, b in zip(high.numpy(), np.rint(up.numpy() * 255), strict=True):
        a, b = a.transpose(1, 2, 0), b.transpose(1, 2, 0)
        found["psnr_db"].append(peak_signal_noise_ratio(a, b.astype(np.uint8), data_range=255))
        found["ssim"].append(
            structural_similarity(
                a.astype(float),
                b,
                channel_axis=2,
                data_range=255,
                gaussian_weights=True,
                sigma=1.5,
                use_sample_covariance=False,
            )
        )
        ya, yb = (skimage.color.rgb2ycbcr(x.astype(np.uint8))[scale:-scale, scale:-scale, 0] for x in (a, b))
        found["psnr_y_db"].append(peak_signal_noise_ratio(ya, yb, data_range=255))
    return {name: float(np.mean(values)) for name, values in found.items()}


@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic"])
@pytest.mark.parametrize("scale", [2, 4])
def test_figures_on_embedded_photos_are_scikit_images(mode: str, scale: int) -> None:
    images = photos.load("test")[0][::40]
    low = F.interpolate(images.float() / 255, size=(32 // scale, 32 // scale), mode="bicubic", antialias=True).double()
    low = (low.clamp(0, 1) * 255).round().to(torch.uint8)
    theirs = scikit_images_figures(images, low, mode, scale)
    dataset = from_tensor(images, name="photos", split="test", description="", limit=None)
    found = evaluate.score(method(mode, scale), pairs.make_pairs(dataset, "bicubic", scale), scale, CPU).summary()
    assert found["images"] == len(images)
    assert found["identical"] == 0
    assert found["psnr_db"] == pytest.approx(theirs["psnr_db"], abs=1e-3)
    assert found["ssim"] == pytest.approx(theirs["ssim"], abs=1e-5)
    assert found["psnr_y_db"] == pytest.approx(theirs["psnr_y_db"], abs=1e-3)


@pytest.mark.parametrize(
    "name, psnr_db, ssim", [("bilinear", 24.776, 0.8095), ("bicubic", 26.247, 0.8656), ("nearest", 24.083, 0.8121)]
)
def test_figures_on_the_cifar_sample_are_the_published_ones(
    cifar_sample, name: str, psnr_db: float, ssim: float
) -> None:
    images, description = cifar10.load(cifar_sample, "test")
    dataset = from_tensor(images, name="cifar10", split="test", description=description, limit=None)
    found = evaluate.score(method(name), pairs.make_pairs(dataset, "bicubic", 2), 2, CPU).summary()
    assert found["images"] == 1000
    assert found["psnr_db"] == pytest.approx(psnr_db, abs=0.002)
    assert found["ssim"] == pytest.approx(ssim, abs=0.0002)


def test_identical_images_are_counted_apart_and_do_not_poison_the_mean() -> None:
    pair = random_pair(images=4)
    squares = pair.low.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    pair.high[:2] = squares[:2]
    found = evaluate.score(method("nearest"), [pair], 2, CPU)
    alone = evaluate.score(method("nearest"), [Pair(pair.ids[2:], pair.high[2:], pair.low[2:])], 2, CPU).summary()
    summary = found.summary()
    assert summary["identical"] == 2
    assert summary["images"] == 4
    assert summary["psnr_db"] == pytest.approx(alone["psnr_db"])
    assert summary["ssim"] == pytest.approx((1 + 1 + 2 * alone["ssim"]) / 4)


def test_when_all_images_are_identical_the_mean_is_infinite_not_missing() -> None:
    pair = random_pair()
    pair.high = pair.low.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    summary = evaluate.score(method("nearest"), [pair], 2, CPU).summary()
    assert summary["psnr_db"] == summary["psnr_y_db"] == math.inf
    assert summary["identical"] == 3
    assert not math.isnan(summary["psnr_p5_db"])


def test_the_fifth_percentile_tells_of_the_worst_images() -> None:
    scores = evaluate.Scores(ids=["a"] * 101, psnr_db=list(range(101)), ssim=[1.0] * 101, psnr_y_db=[1.0] * 101)
    assert scores.summary()["psnr_p5_db"] == pytest.approx(5)


def test_values_keep_the_order_of_their_images_over_blocks_and_pairs() -> None:
    many, few = random_pair(images=600, seed=1), random_pair(images=3, seed=2)
    found = evaluate.score(method("bilinear"), [many, few], 2, CPU)
    assert found.ids == many.ids + few.ids
    last = evaluate.score(method("bilinear"), [Pair(few.ids[2:], few.high[2:], few.low[2:])], 2, CPU)
    assert found.psnr_db[-1] == pytest.approx(last.psnr_db[0])
    assert len(found.ssim) == len(found.psnr_y_db) == 603


def test_what_a_method_overshoots_is_clamped_as_a_file_would() -> None:
    pair = random_pair()
    wild = from_function(lambda low: F.interpolate(low, scale_factor=2) * 3 - 1)
    levels = evaluate.upsampled_levels(wild, pair.low, 2)
    assert levels.min() == 0
    assert levels.max() == 255
    assert torch.equal(levels, levels.round())


def test_images_smaller_than_the_window_fail_with_their_name() -> None:
    with pytest.raises(FailedError, match="image 0: a 8x8 image is smaller than SSIM's 11x11 window"):
        evaluate.score(method("nearest"), [random_pair(side=8)], 2, CPU)


@pytest.mark.parametrize(
    "function, said",
    [
        (lambda low: low, "it returned shape"),
        (lambda low: F.interpolate(low, scale_factor=2) / 0, "NaN or infinite"),
        (lambda low: low["a"], "it raised TypeError|it raised IndexError"),
    ],
)
def test_a_method_that_breaks_on_the_data_fails_in_one_sentence(function: object, said: str) -> None:
    with pytest.raises(FailedError, match=said):
        evaluate.score(from_function(function), [random_pair()], 2, CPU)


def test_a_method_that_declines_the_data_is_skipped() -> None:
    def picky(low: Tensor) -> Tensor:
        raise NotImplementedError("squares only")

    with pytest.raises(SkippedError, match="squares only"):
        evaluate.score(from_function(picky), [random_pair()], 2, CPU)
