"""The learned methods and the linear filter: their weights, their training, their card."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from upbench.bench.adapters import build, discover
from upbench.bench.cli.main import main
from upbench.bench.cli.options import EXIT_OK, EXIT_USAGE
from upbench.bench.conformance import conforming
from upbench.bench.errors import SkippedError
from upbench.methods import card, pretrained, training
from upbench.methods.learned import RECIPES
from upbench.methods.networks import NETWORKS, Edsr, SelfEnsemble, Subpixel, espcn
from upbench.methods.training import Recipe, train
from upbench.methods.wiener import TAPS, Wiener, pad, solve

CPU = torch.device("cpu")
NAMES = [*NETWORKS, "wiener"]
WEIGHTS = sorted(pretrained.FOLDER.glob("*.safetensors"))


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def smooth_images(count: int, seed: int = 0) -> Tensor:
    """Random uint8 images `(count, 3, 32, 32)` that have something to learn in them."""
    coarse = torch.rand(count, 3, 8, 8, generator=torch.Generator().manual_seed(seed))
    return (F.interpolate(coarse, size=(32, 32), mode="bicubic").clamp(0, 1) * 255).round().to(torch.uint8)


def halved(high: Tensor) -> Tensor:
    return F.avg_pool2d(high.float(), 2).round().to(torch.uint8)


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
        assert facts["steps"] == str(RECIPES[facts["method"], int(facts["scale"])].steps)


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


# Training


CROPS_AND_MUON = {"crop": 12, "muon_rate": 1e-3}


def short_run(checkpoint: Path | None = None, **changes: float) -> tuple[list[float], dict[str, Tensor]]:
    high = smooth_images(8)
    recipe = Recipe(**{"steps": 30, "batch": 4, **changes})  # type: ignore[arg-type]
    network, progress = train(lambda: espcn(2), high, halved, recipe, checkpoint=checkpoint)
    return progress.losses, network.state_dict()


def equal(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return all(torch.equal(a[name], b[name]) for name in a)


def test_training_lowers_its_loss() -> None:
    losses, _ = short_run(steps=60)

    assert sum(losses[-5:]) / 5 < sum(losses[:5]) / 5 - 0.5  # dB


def test_training_follows_from_its_seed_alone() -> None:
    first, again, other = short_run(), short_run(), short_run(seed=1)

    assert first[0] == again[0]
    assert equal(first[1], again[1])
    assert not equal(first[1], other[1])


@pytest.mark.parametrize("changes", [{}, CROPS_AND_MUON])
def test_interrupted_training_ends_where_an_uninterrupted_one_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, float]
) -> None:
    whole = short_run(**changes)
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", 7)
    interrupt_after(17, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        short_run(tmp_path / "run", **changes)
    monkeypatch.undo()
    resumed = short_run(tmp_path / "run", **changes)

    assert resumed[0] == whole[0]
    assert equal(resumed[1], whole[1])
    assert [file.name for file in tmp_path.iterdir()] == ["run"]  # no temporary file is left


def test_muon_takes_the_hidden_convolutions_and_adam_the_rest() -> None:
    torch.manual_seed(6)
    network = Edsr(2, features=8, blocks=1).to(memory_format=torch.channels_last)
    nn.init.normal_(network.tail[0].weight)  # it starts at zero, and nothing before it learns from its first step
    before = {name: value.clone() for name, value in network.state_dict().items()}
    recipe = Recipe(steps=9, rate=0.0, muon_rate=1e-2)
    high, low = torch.rand(2, 3, 16, 16), torch.rand(2, 3, 8, 8)
    training._step(network, training.Optimizers(network, recipe), 0.5, high, low)

    changed = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"body.0.first.weight", "body.0.second.weight", "body.1.weight"}


def test_a_crop_is_degraded_after_it_is_cut() -> None:
    high = smooth_images(4)
    recipe = Recipe(steps=1, batch=64, crop=30)
    images, low = training.draw(high, halved, recipe, torch.Generator().manual_seed(1))

    assert images.shape == (64, 3, 30, 30)
    assert torch.equal((low * 255).round().to(torch.uint8), halved((images * 255).round().to(torch.uint8)))


@pytest.mark.parametrize(("recolour", "expected"), [(True, {0, 1, 2}), (False, {0})])
def test_colours_are_permuted_where_the_recipe_says_so(recolour: bool, expected: set[int]) -> None:
    red = smooth_images(4) * torch.tensor([1, 0, 0], dtype=torch.uint8)[:, None, None]
    recipe, generator = Recipe(steps=1, recolour=recolour), torch.Generator().manual_seed(3)
    batches = [training.draw(red, halved, recipe, generator) for _ in range(20)]

    found = {int(images.sum(dim=(0, 2, 3)).argmax()) for pair in batches for images in pair}
    assert found == expected


def interrupt_after(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    draws = iter(range(steps))
    original = training.draw

    def draw(*args: object) -> tuple[Tensor, Tensor]:
        if next(draws, None) is None:
            raise KeyboardInterrupt
        return original(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(training, "draw", draw)


def test_checkpoint_of_another_recipe_is_refused(tmp_path: Path) -> None:
    short_run(tmp_path / "run")

    with pytest.raises(ValueError, match="another recipe"):
        short_run(tmp_path / "run", seed=1)


def test_run_may_be_prolonged_before_its_rate_falls_and_not_after() -> None:
    short, long = Recipe(steps=1000), Recipe(steps=2000)

    assert training._same_so_far(short, long, 600)
    assert not training._same_so_far(short, long, 700)


# The command


@pytest.fixture
def tiny_cifar(tmp_path: Path) -> Path:
    """A folder in CIFAR-10's binary layout: 40 training images and 10 to test on."""
    folder = tmp_path / "data" / "cifar-10-batches-bin"
    folder.mkdir(parents=True)
    for name, count, seed in (("data_batch_1.bin", 40, 1), ("test_batch.bin", 10, 2)):
        records = F.pad(smooth_images(count, seed).flatten(1), (1, 0))
        (folder / name).write_bytes(records.numpy().tobytes())
    return folder.parent


def test_command_writes_weights_that_load_and_their_card(
    tiny_cifar: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "weights"
    options = ["--scales", "2", "--steps", "3", "--data", str(tiny_cifar), "--out", str(out)]
    assert main(["train", "--methods", "learned-transposed-k4", "wiener", *options]) == EXIT_OK

    assert sorted(file.name for file in out.iterdir()) == [
        "README.md",
        "learned-transposed-k4-x2.safetensors",
        "wiener-x2.safetensors",
    ]
    facts = pretrained.metadata(out / "learned-transposed-k4-x2.safetensors")
    assert (facts["steps"], facts["train_images"], facts["held_out_images"]) == ("3", "36", "4")
    assert facts["psnr_test_db"] in (out / "README.md").read_text(encoding="utf-8")
    monkeypatch.setattr(pretrained, "FOLDER", out)
    conforming(discover()["learned-transposed-k4"], 2, CPU, torch.float32)


def test_command_says_so_when_a_checkpoint_is_of_another_run(
    tiny_cifar: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short_run(tmp_path / "learned-espcn-x2.checkpoint")
    options = ["--scales", "2", "--steps", "3", "--data", str(tiny_cifar), "--out", str(tmp_path)]

    assert main(["train", "--methods", "learned-espcn", *options]) == EXIT_USAGE
    assert "another recipe" in capsys.readouterr().err


# The linear filter


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
