"""The learned methods and the linear filter: their weights, their networks, their card."""

import pickle
from functools import partial
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from upbench.bench.adapters import discover
from upbench.bench.conformance import conforming
from upbench.bench.errors import SkippedError
from upbench.bench.upsampler import build
from upbench.datasets.pairs import degrade
from upbench.methods import card, pretrained
from upbench.methods.learned import RECIPES
from upbench.methods.networks import NETWORKS, Edsr, SelfEnsemble, Subpixel, espcn
from upbench.methods.wiener import TAPS, Wiener, pad, solve

CPU = torch.device("cpu")
NAMES = [*NETWORKS, "wiener"]
WEIGHTS = sorted(pretrained.FOLDER.glob("*.safetensors"))


# Weights


@pytest.mark.parametrize("scale", pretrained.SCALES)
@pytest.mark.parametrize("name", NAMES)
def test_method_conforms_with_its_committed_weights(name: str, scale: int) -> None:
    upsampler = conforming(discover()[name], scale, CPU, torch.float32)

    assert all(parameter.requires_grad for parameter in upsampler.upsample.parameters())
    assert not upsampler.upsample.training


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("name", NAMES)
def test_method_conforms_in_other_precisions(name: str, dtype: torch.dtype) -> None:
    conforming(discover()[name], 2, CPU, dtype)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("scale", "dtype"), [(3, torch.float32), (2, torch.uint8)])
def test_what_was_not_trained_is_declined_with_a_reason(name: str, scale: int, dtype: torch.dtype) -> None:
    with pytest.raises(SkippedError, match=r"trained for x2 and x4 only|floating point"):
        build(discover()[name], scale, CPU, dtype)


def test_networks_decline_what_is_not_rgb_and_the_linear_filter_takes_it() -> None:
    features = torch.rand(1, 5, 8, 8)

    with pytest.raises(NotImplementedError, match="3 channels, not 5"):
        build(discover()["learned-espcn"], 2, CPU, torch.float32)(features)
    assert build(discover()["wiener"], 2, CPU, torch.float32)(features).shape == (1, 5, 16, 16)


def test_every_trained_method_has_weights_at_each_scale_and_no_file_is_left_over() -> None:
    expected = {pretrained.path(pretrained.FOLDER, name, scale) for name in NAMES for scale in pretrained.SCALES}

    assert set(WEIGHTS) == expected


@pytest.mark.parametrize("file", WEIGHTS, ids=lambda file: file.stem)
def test_weights_are_small_and_say_how_they_were_made(file: Path) -> None:
    facts = pretrained.metadata(file)

    assert file.stat().st_size < 2.5e6
    assert file.name == f"{facts['method']}-x{facts['scale']}.safetensors"
    assert facts["seed"] in facts["command"]
    if facts["method"] != "wiener":
        recipes = RECIPES[facts["method"], int(facts["scale"])]
        assert facts["steps"] == " + ".join(str(recipe.steps) for recipe in recipes)


def test_card_is_what_the_weights_say() -> None:
    written = (pretrained.FOLDER / "README.md").read_text(encoding="utf-8")

    assert written == card.page([pretrained.metadata(file) for file in WEIGHTS])


# Networks


@pytest.mark.parametrize("scale", [2, 4])
def test_icnr_start_gives_every_phase_the_same_value_on_a_constant_image(scale: int) -> None:
    torch.manual_seed(0)
    made = Subpixel(8, scale)(torch.full((1, 8, 6, 6), 0.7))
    phases = F.pixel_unshuffle(made, scale).view(3, scale**2, 6, 6)

    assert torch.allclose(phases, phases[:, :1].expand_as(phases), atol=1e-6)
    assert made[0, :, 8, 8].unique().numel() == 3  # the colours were drawn apart


def test_edsr_starts_as_bicubic() -> None:
    low = torch.rand(1, 3, 8, 8)

    assert torch.equal(Edsr(2)(low), F.interpolate(low, scale_factor=2, mode="bicubic"))


@pytest.mark.parametrize(("views", "turns"), [(4, False), (8, True)])
def test_a_self_ensemble_follows_a_mirrored_input(views: int, turns: bool) -> None:
    torch.manual_seed(5)
    network, low = espcn(2), torch.rand(2, 3, 5, 7)
    ensemble = SelfEnsemble(network, views)
    with torch.inference_mode():
        for axes in ((2,), (3,), (2, 3)):
            torch.testing.assert_close(ensemble(low.flip(axes)), ensemble(low).flip(axes))
            assert not torch.allclose(network(low.flip(axes)), network(low).flip(axes))
        turned = torch.allclose(ensemble(low.transpose(2, 3)), ensemble(low).transpose(2, 3), atol=1e-6)
    assert turned is turns


# The linear filter


halved = partial(degrade, degradation="area", scale=2)


def squared_error(filters: Tensor, high: Tensor, low: Tensor) -> float:
    network = Wiener(2).double()
    network.filters.data = filters
    with torch.no_grad():
        return (network(low.double()) - high).square().sum().item()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), size=st.floats(1e-4, 1.0))
def test_no_change_of_the_solved_filters_makes_the_training_error_smaller(seed: int, size: float) -> None:
    high = torch.randint(256, (6, 3, 32, 32), generator=torch.Generator().manual_seed(3))
    low = halved(high)
    filters = solve(high, low)
    change = torch.randn(filters.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)

    assert squared_error(filters, high, low) < squared_error(filters + size * change, high, low)


def test_solving_finds_a_planted_filter_again() -> None:
    generator = torch.Generator().manual_seed(4)
    planted = torch.randn(4, 1, TAPS, TAPS, generator=generator, dtype=torch.float64)
    low = torch.rand(20, 3, 16, 16, generator=generator, dtype=torch.float64)
    network = Wiener(2).double()
    network.filters.data = planted
    found = solve(network(low).detach(), low)

    assert torch.allclose(found, planted, atol=1e-5)


def test_constant_images_alone_can_be_solved_for() -> None:
    high = torch.full((2, 3, 16, 16), 90, dtype=torch.uint8)

    assert squared_error(solve(high, halved(high)), high, halved(high)) / high.numel() < 1e-3


def test_border_is_replicated() -> None:
    row = torch.arange(4.0).view(1, 1, 1, 4).expand(1, 1, 4, 4)

    assert pad(row)[0, 0, 0].tolist() == [0, 0, 0, 0, 0, 1, 2, 3, 3, 3, 3, 3]


def test_weights_that_are_damaged_or_too_large_are_refused_before_they_are_read(tmp_path: Path) -> None:
    good = pretrained.path(pretrained.FOLDER, "learned-espcn", 2).read_bytes()
    for bad in (b"", good[:100], good[:-1], b"\xff" * 8 + good[8:], pickle.dumps({"a": 1})):
        (tmp_path / "w.safetensors").write_bytes(bad)
        with pytest.raises(ValueError, match=r"w\.safetensors is damaged"):
            pretrained.load(tmp_path / "w.safetensors")
    with (tmp_path / "w.safetensors").open("wb") as file:
        file.truncate(pretrained.LARGEST + 1)
    with pytest.raises(ValueError, match=r"w\.safetensors is larger than 64 MiB"):
        pretrained.load(tmp_path / "w.safetensors")
