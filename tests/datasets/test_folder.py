"""Folders of images of any sizes."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from upbench.datasets import pairs
from upbench.datasets.errors import DataError
from upbench.datasets.folder import open_folder


@pytest.fixture
def folder(tmp_path: Path, picture_file: Callable[..., Path]) -> Path:
    for name, size in (("c.png", (24, 16)), ("a.jpg", (33, 17)), ("B.PNG", (12, 40))):
        picture_file(name, size, folder=tmp_path / "set")
    return tmp_path / "set"


def test_images_of_mixed_sizes_come_one_at_a_time_by_name(folder: Path) -> None:
    dataset = open_folder(folder)
    batches = list(dataset.batches())
    assert [batch.ids for batch in batches] == [["B.PNG"], ["a.jpg"], ["c.png"]]
    assert [tuple(batch.images.shape) for batch in batches] == [(1, 3, 40, 12), (1, 3, 17, 33), (1, 3, 16, 24)]
    assert dataset.description == "3 images of the folder set"
    assert dataset.name == "folder:set"


def test_sides_are_cropped_to_multiples_of_the_scale(folder: Path) -> None:
    made = list(pairs.make_pairs(open_folder(folder), "bicubic", 4))
    assert [tuple(pair.high.shape[2:]) for pair in made] == [(40, 12), (16, 32), (16, 24)]
    assert all(pair.high.shape[-1] == 4 * pair.low.shape[-1] for pair in made)


def test_the_limit_takes_the_first_by_name(folder: Path) -> None:
    assert [batch.ids for batch in open_folder(folder, limit=2).batches()] == [["B.PNG"], ["a.jpg"]]


def test_other_files_and_folders_inside_are_left_alone(folder: Path) -> None:
    (folder / "notes.txt").write_text("not an image")
    (folder / "inside").mkdir()
    assert len(open_folder(folder)) == 3


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1", "LA", "CMYK"])
def test_every_kind_of_picture_becomes_rgb(folder: Path, picture_file: Callable[..., Path], mode: str) -> None:
    name = "z.tif" if mode == "CMYK" else "z.png"
    picture_file(name, (14, 15), mode=mode, folder=folder)
    *_, last = open_folder(folder).batches()
    assert tuple(last.images.shape) == (1, 3, 15, 14)


def test_a_folder_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no folder"):
        open_folder(tmp_path / "absent")


def test_a_file_is_no_folder(folder: Path) -> None:
    with pytest.raises(DataError, match="There is no folder"):
        open_folder(folder / "c.png")


@pytest.mark.parametrize("content", [None, "notes.txt"])
def test_a_folder_without_images_says_so(tmp_path: Path, content: str | None) -> None:
    if content:
        (tmp_path / content).write_text("text")
    with pytest.raises(DataError, match="holds no images"):
        open_folder(tmp_path)


@pytest.mark.parametrize("damage", [b"", b"not an image at all", b"\x89PNG\r\n\x1a\n"])
def test_a_file_that_is_no_image_is_named_before_anything_is_measured(folder: Path, damage: bytes) -> None:
    (folder / "bad.png").write_bytes(damage)
    with pytest.raises(DataError, match=r"bad\.png cannot be read as an image"):
        open_folder(folder)


def test_floating_point_pixels_are_declined_before_anything_is_measured(folder: Path) -> None:
    Image.new("F", (24, 16), 0.5).save(folder / "z.tif")
    with pytest.raises(DataError, match=r"z\.tif holds values of 32 bits, whose white is not known"):
        open_folder(folder)


def test_an_image_cut_off_half_way_is_named(folder: Path) -> None:
    whole = (folder / "c.png").read_bytes()
    (folder / "c.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"c\.png cannot be read as an image"):
        list(open_folder(folder).batches())


def test_an_image_smaller_than_the_scale_is_told(folder: Path) -> None:
    Image.new("RGB", (3, 3)).save(folder / "tiny.png")
    with pytest.raises(DataError, match="scale 4 does not divide"):
        list(pairs.make_pairs(open_folder(folder), "area", 4))
