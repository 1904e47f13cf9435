"""`upbench upsample` and `upbench panel` on a person's own pictures."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from upbench.datasets import pictures
from upbench.datasets.pictures import Picture


def opened(path: Path) -> Image.Image:
    """A picture as Pillow reads it, its file closed."""
    with Image.open(path) as image:
        return image.copy()


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P", "1"])
@pytest.mark.parametrize("scale", [1, 3, 4])
def test_a_picture_keeps_its_kind_and_grows_by_the_scale(
    upbench: Callable, picture_file: Callable[..., Path], tmp_path: Path, mode: str, scale: int
) -> None:
    out = tmp_path / "big" / "out.png"
    said = upbench("upsample", picture_file(size=(25, 14), mode=mode), out, "--method", "bicubic", "--scale", scale)
    assert said.code == 0, said.err
    found = opened(out)
    assert found.size == (25 * scale, 14 * scale)
    assert found.mode == {"P": "RGB", "1": "L"}.get(mode, mode)
    assert f"{25 * scale}x{14 * scale}, bicubic x{scale}" in said.out


def test_the_pixels_are_the_methods_own(upbench: Callable, picture_file: Callable[..., Path], tmp_path: Path) -> None:
    path = picture_file(size=(21, 13))
    upbench("upsample", path, tmp_path / "out.png", "--method", "bilinear", "--scale", "2")
    low = torch.from_numpy(np.asarray(opened(path)).copy()).permute(2, 0, 1)[None].float() / 255
    expected = F.interpolate(low, scale_factor=2, mode="bilinear")[0].permute(1, 2, 0).mul(255).round()
    difference = np.asarray(opened(tmp_path / "out.png")).astype(int) - expected.numpy().astype(int)
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("channels", [1, 3])
def test_16_bits_stay_16_bits(upbench: Callable, tmp_path: Path, channels: int) -> None:
    ramp = torch.linspace(0.1, 0.11, 32).expand(channels, 8, 32)
    pictures.write(tmp_path / "in.png", Picture(pixels=ramp, bits=16))
    assert upbench("upsample", tmp_path / "in.png", tmp_path / "out.png", "--method", "bilinear").code == 0
    found = pictures.read(tmp_path / "out.png")
    assert found.bits == 16
    assert len(found.pixels[0, 0].unique()) > 40, "8 bits would hold four levels of this ramp"


def test_a_turned_picture_is_turned_upright_first(
    upbench: Callable, picture_file: Callable[..., Path], tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    opened(picture_file(size=(24, 16))).save(tmp_path / "turned.jpg", exif=exif)
    upbench("upsample", tmp_path / "turned.jpg", tmp_path / "out.png", "--method", "nearest", "--scale", "2")
    assert opened(tmp_path / "out.png").size == (32, 48)


def test_colour_under_full_transparency_does_not_bleed(upbench: Callable, tmp_path: Path) -> None:
    pixels = np.zeros((8, 8, 4), dtype=np.uint8)
    pixels[:, :4] = [200, 100, 50, 255]
    pixels[:, 4:] = [0, 255, 0, 0]  # invisible green
    Image.fromarray(pixels).save(tmp_path / "in.png")
    upbench("upsample", tmp_path / "in.png", tmp_path / "out.png", "--method", "bilinear", "--scale", "4")
    found = np.asarray(opened(tmp_path / "out.png"))
    visible = found[found[..., 3] > 8][:, :3].astype(int)
    assert np.abs(visible - [200, 100, 50]).max() <= 8


def test_a_method_from_a_file_serves(
    upbench: Callable, picture_file: Callable[..., Path], adapter_file: Callable[..., str], tmp_path: Path
) -> None:
    spec = adapter_file("mine", "return lambda low: F.interpolate(low, scale_factor=scale)")
    assert upbench("upsample", picture_file(), tmp_path / "out.png", "--method", spec).code == 0
    assert opened(tmp_path / "out.png").size == (48, 32)


@pytest.mark.parametrize(
    "body, said",
    [
        ("raise NotImplementedError('needs a moon')", "mine cannot do this: needs a moon"),
        ("def up(low):\n    raise RuntimeError('no')\nreturn up", "mine cannot do this: it raised RuntimeError: no"),
        ("return torch.clone", "mine cannot do this: it returned shape"),
        ("return lambda low: None", "mine cannot do this: it returned a NoneType, not a tensor"),
    ],
)
def test_a_method_that_cannot_is_told_and_no_file_is_left(
    upbench: Callable,
    picture_file: Callable[..., Path],
    adapter_file: Callable[..., str],
    tmp_path: Path,
    body: str,
    said: str,
) -> None:
    outcome = upbench("upsample", picture_file(), tmp_path / "out.png", "--method", adapter_file("mine", body))
    assert outcome.code == 2
    assert said in outcome.err
    assert outcome.err.count("\n") == 1
    assert not (tmp_path / "out.png").exists()


def test_an_existing_file_is_kept_when_the_new_one_cannot_be_written(
    upbench: Callable, picture_file: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "out.jpg").write_text("precious")
    outcome = upbench("upsample", picture_file(mode="RGBA"), tmp_path / "out.jpg", "--method", "nearest")
    assert outcome.code == 2
    assert (tmp_path / "out.jpg").read_text() == "precious"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_a_panel_shows_the_picture_and_every_method(
    upbench: Callable, picture_file: Callable[..., Path], tmp_path: Path, mode: str
) -> None:
    out = tmp_path / "panel.png"
    options = ["--methods", "nearest", "bilinear", "--scale", "3"]
    said = upbench("panel", picture_file(mode=mode, size=(40, 30)), out, *options)
    assert said.code == 0, said.err
    assert "2 methods, x3" in said.out
    pixels = np.asarray(opened(out).convert("RGB"))
    assert min(pixels.shape[:2]) > 200
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 50


def test_a_panel_names_a_method_that_cannot_and_draws_the_others(
    upbench: Callable, picture_file: Callable[..., Path], adapter_file: Callable[..., str], tmp_path: Path
) -> None:
    broken = adapter_file("broken", "def up(low):\n    raise RuntimeError('no luck')\nreturn up")
    options = ["--methods", "nearest", "--method", broken, "--scale", "2"]
    said = upbench("panel", picture_file(), tmp_path / "panel.png", *options)
    assert said.code == 3
    assert "upbench: broken: it raised RuntimeError: no luck" in said.err
    assert (tmp_path / "panel.png").is_file()


def test_a_panel_of_nothing_is_refused(
    upbench: Callable, picture_file: Callable[..., Path], adapter_file: Callable[..., str], tmp_path: Path
) -> None:
    spec = adapter_file("picky", "raise NotImplementedError('needs a moon')")
    said = upbench("panel", picture_file(), tmp_path / "panel.png", "--method", spec)
    assert said.code == 2
    assert "none of these methods could upsample the picture" in said.err
    assert not (tmp_path / "panel.png").exists()
