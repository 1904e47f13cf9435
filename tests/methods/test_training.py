"""Training: what a recipe does, that it can be interrupted, and the command."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn

from upbench.bench.adapters import discover
from upbench.bench.cli.main import main
from upbench.bench.conformance import conforming
from upbench.bench.stage import Ending
from upbench.datasets.pairs import degrade
from upbench.methods import pretrained, training
from upbench.methods.learned import RECIPES
from upbench.methods.networks import Edsr, espcn
from upbench.methods.training import Recipe, train

halved = partial(degrade, degradation="area", scale=2)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def smooth_images(count: int, seed: int = 0) -> Tensor:
    """Random uint8 images `(count, 3, 32, 32)` that have something to learn in them."""
    coarse = torch.rand(count, 3, 8, 8, generator=torch.Generator().manual_seed(seed))
    return (F.interpolate(coarse, size=(32, 32), mode="bicubic").clamp(0, 1) * 255).round().to(torch.uint8)


# Recipes


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


def test_images_are_reduced_to_one_of_the_sides_and_cut_no_smaller_than_the_crop() -> None:
    high, sides = smooth_images(4), (32, 24, 20)
    recipe, generator = Recipe(steps=1, crop=28, sides=sides, recolour=False), torch.Generator().manual_seed(2)
    drawn = [training.draw(high, halved, recipe, generator) for _ in range(30)]

    assert {images.shape[2] for images, _ in drawn} == {28, 24, 20}
    for images, low in drawn:
        assert torch.equal((low * 255).round().to(torch.uint8), halved((images * 255).round().to(torch.uint8)))
    whole = high.float().mean().item() / 255
    for images, _ in drawn:
        if images.shape[2] < 28:  # whole images, of the same mean
            assert images.mean().item() == pytest.approx(whole, abs=0.1)


def test_a_reduced_image_is_pillows() -> None:
    high = smooth_images(1)
    pillow = Image.fromarray(high[0].permute(1, 2, 0).numpy()).resize((20, 20), Image.Resampling.BICUBIC)
    expected = torch.from_numpy(np.array(pillow)).permute(2, 0, 1).float()
    turns = [torch.rot90(image, k, (1, 2)) for k in range(4) for image in (expected, expected.flip(1))]
    recipe, generator = Recipe(steps=1, batch=1, sides=(20,), recolour=False), torch.Generator().manual_seed(4)

    for _ in range(10):
        image = training.draw(high, halved, recipe, generator)[0][0] * 255
        assert min((image - turned).abs().max() for turned in turns) < 1.5  # levels


def test_weight_decay_shrinks_the_hidden_convolutions_alone() -> None:
    free, decayed = (short_run(steps=20, rate=0.0, muon_rate=1e-2, weight_decay=decay)[1] for decay in (0.0, 100.0))

    shrunk = {name for name in free if decayed[name].norm() < 0.8 * free[name].norm()}
    assert shrunk == {"network.2.weight"}


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
    assert main(["train", "--methods", "learned-transposed-k4", "wiener", *options]) == Ending.OK

    assert sorted(file.name for file in out.iterdir()) == [
        "README.md",
        "learned-transposed-k4-x2.safetensors",
        "wiener-x2.safetensors",
    ]
    facts = pretrained.metadata(out / "learned-transposed-k4-x2.safetensors")
    assert (facts["steps"], facts["train_images"], facts["held_out_images"]) == ("3", "36", "4")
    assert facts["psnr_test_db"] in (out / "README.md").read_text(encoding="utf-8")
    monkeypatch.setattr(pretrained, "FOLDER", out)
    conforming(discover()["learned-transposed-k4"], 2, torch.device("cpu"), torch.float32)


def test_command_says_so_when_a_checkpoint_is_of_another_run(
    tiny_cifar: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short_run(tmp_path / "learned-espcn-x2.1.checkpoint")
    options = ["--scales", "2", "--steps", "3", "--data", str(tiny_cifar), "--out", str(tmp_path)]

    assert main(["train", "--methods", "learned-espcn", *options]) == Ending.USAGE
    assert "another recipe" in capsys.readouterr().err


def test_second_cycle_goes_on_from_the_weights_of_the_first(
    tiny_cifar: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trained(out: str, steps: list[str]) -> dict[str, Tensor]:
        options = ["--scales", "2", "--data", str(tiny_cifar), "--out", str(tmp_path / out), "--steps", *steps]
        assert main(["train", "--methods", "learned-transposed-k2", *options]) == Ending.OK
        return load_file(tmp_path / out / "learned-transposed-k2-x2.safetensors")

    first = trained("one", ["4"])
    key = ("learned-transposed-k2", 2)
    monkeypatch.setitem(RECIPES, key, [*RECIPES[key], Recipe(steps=9, rate=0.0)])  # that changes nothing
    still = trained("two", ["4", "2"])

    assert equal(first, still)
    facts = pretrained.metadata(tmp_path / "two" / "learned-transposed-k2-x2.safetensors")
    assert facts["steps"] == "4 + 2"
    assert facts["command"].endswith("--steps 4 2")
    assert not list((tmp_path / "two").glob("*.checkpoint"))


def test_command_asks_for_as_many_numbers_of_steps_as_there_are_cycles(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--methods", "learned-espcn", "--scales", "2", "--steps", "3", "4", "--out", str(tmp_path)]

    assert main(["train", *options]) == Ending.USAGE
    assert "1 cycle" in capsys.readouterr().err
