"""A person's own pictures come back with their depth, transparency and orientation."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from upbench.datasets import pictures
from upbench.datasets.errors import DataError
from upbench.datasets.folder import open_folder
from upbench.datasets.pictures import Picture


@pytest.mark.parametrize("mode, channels", [("L", 1), ("LA", 2), ("RGB", 3), ("RGBA", 4)])
def test_an_8_bit_picture_is_read_as_it_is(picture_file: Callable[..., Path], mode: str, channels: int) -> None:
    path = picture_file(mode=mode)
    picture = pictures.read(path)
    theirs = np.asarray(Image.open(path)).reshape(16, 24, channels).transpose(2, 0, 1)
    assert picture.bits == 8
    assert picture.has_alpha == (channels in (2, 4))
    np.testing.assert_array_equal((picture.pixels * 255).round().numpy(), theirs)


@pytest.mark.parametrize("mode, bands", [("P", 3), ("1", 1)])
def test_palette_and_black_and_white_become_plain(picture_file: Callable[..., Path], mode: str, bands: int) -> None:
    path = picture_file(mode=mode)
    picture = pictures.read(path)
    theirs = np.asarray(Image.open(path).convert("RGB" if bands == 3 else "L")).reshape(16, 24, bands)
    np.testing.assert_array_equal((picture.pixels * 255).round().numpy(), theirs.transpose(2, 0, 1))


def test_a_palette_with_a_transparent_colour_has_alpha(tmp_path: Path) -> None:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([255, 0, 0, 0, 255, 0] + [0] * 762)
    image.putpixel((0, 0), 0)
    image.save(tmp_path / "a.png", transparency=0)
    pixels = pictures.read(tmp_path / "a.png").pixels
    assert pixels.shape[0] == 4
    assert pixels[3, 0, 0] == 0
    assert pixels[:, 1, 1].tolist() == [0, 1, 0, 1]


def random_picture(channels: int, bits: int, h: int = 5, w: int = 7) -> Picture:
    top = 2**bits - 1
    levels = np.random.default_rng(0).integers(0, top + 1, (channels, h, w))
    levels[:, 0, :3] = [0, 1, top]
    return Picture(pixels=torch.from_numpy(levels).double().div(top).float(), bits=bits)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_picture_comes_back_exactly_from_its_file(tmp_path: Path, channels: int, bits: int) -> None:
    picture = random_picture(channels, bits)
    pictures.write(tmp_path / "a.png", picture)
    again = pictures.read(tmp_path / "a.png")
    assert again.bits == bits
    top = 2**bits - 1
    np.testing.assert_array_equal(
        (again.pixels.double() * top).round().numpy(), (picture.pixels.double() * top).round().numpy()
    )


def test_pillow_reads_16_bit_grey_as_we_wrote_it(tmp_path: Path) -> None:
    picture = random_picture(1, 16)
    pictures.write(tmp_path / "a.png", picture)
    theirs = np.asarray(Image.open(tmp_path / "a.png")).astype(np.int64)
    np.testing.assert_array_equal(theirs, (picture.pixels[0].double() * 65535).round().long().numpy())


def test_16_bit_grey_that_pillow_wrote_is_read_in_full_depth(tmp_path: Path) -> None:
    levels = np.array([[0, 1, 257, 40_000, 65_535]], dtype=np.uint16)
    Image.fromarray(levels).save(tmp_path / "a.png")
    picture = pictures.read(tmp_path / "a.png")
    assert picture.bits == 16
    assert (picture.pixels.double() * 65535).round().flatten().tolist() == levels[0].tolist()


def test_16_bit_colour_is_not_cut_to_8_bits(tmp_path: Path) -> None:
    picture = Picture(pixels=torch.full((3, 2, 2), 1000 / 65535), bits=16)
    pictures.write(tmp_path / "a.png", picture)
    assert pictures.read(tmp_path / "a.png").pixels.mul(65535).round().unique().tolist() == [1000]


# How an upright picture was turned or mirrored to be stored under an orientation (EXIF 2.3, tag 0x0112).
STORED_BY = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_upright_as_its_exif_orientation_says(
    tmp_path: Path, orientation: int, suffix: str
) -> None:
    upright = np.zeros((16, 24), dtype=np.uint8)
    upright[:8, :8] = 255  # a white corner at the top left tells all eight apart
    upright[:8, 8:16] = 128
    stored = Image.fromarray(upright)
    if orientation in STORED_BY:
        stored = stored.transpose(STORED_BY[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"turned{suffix}"
    stored.save(path, exif=exif, **({"quality": 100} if suffix == ".jpg" else {}))
    found = pictures.read(path).pixels[0] * 255
    assert tuple(found.shape) == (16, 24)
    np.testing.assert_allclose(found.numpy(), upright, atol=3)


def test_values_outside_the_range_are_clamped(tmp_path: Path) -> None:
    pictures.write(tmp_path / "a.png", Picture(pixels=torch.tensor([[[-0.2, 0.5, 1.3]]]), bits=8))
    assert np.asarray(Image.open(tmp_path / "a.png")).tolist() == [[0, 128, 255]]


def test_16_bits_go_into_png_only(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.jpg: 16-bit pictures are written as \.png only"):
        pictures.write(tmp_path / "a.jpg", random_picture(3, 16))


def test_transparency_does_not_go_into_jpeg(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.jpg cannot be written"):
        pictures.write(tmp_path / "a.jpg", random_picture(4, 8))


def test_a_picture_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no file"):
        pictures.read(tmp_path / "absent.png")


@pytest.mark.parametrize("kept", [0, 4, 30, 60, 200])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_damaged_picture_is_told_in_one_sentence(tmp_path: Path, channels: int, bits: int, kept: int) -> None:
    path = tmp_path / "a.png"
    pictures.write(path, random_picture(channels, bits, 40, 40))
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DataError, match=r"a\.png cannot be read as an image") as caught:
        pictures.read(path)
    assert "\n" not in str(caught.value)


def test_a_folder_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read as an image"):
        pictures.read(tmp_path)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P"])
def test_read_rgb_gives_three_channels_of_bytes(picture_file: Callable[..., Path], mode: str) -> None:
    found = pictures.read_rgb(picture_file(mode=mode))
    assert tuple(found.shape) == (3, 16, 24)
    assert found.dtype == torch.uint8


@pytest.mark.parametrize("values", [np.float32([[0.0, 1.0]]), np.int32([[0, 70_000]]), np.int32([[-1, 5]])], ids=repr)
def test_values_without_a_known_white_are_not_guessed_at(tmp_path: Path, values: "np.ndarray[Any, Any]") -> None:
    Image.fromarray(values).save(tmp_path / "deep.tif")
    with pytest.raises(DataError, match=r"deep\.tif holds values of 32 bits"):
        pictures.read(tmp_path / "deep.tif")


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1)])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tif", ".webp", ".gif", ".ppm"])
def test_the_smallest_pictures_are_read(tmp_path: Path, size: tuple[int, int], suffix: str) -> None:
    Image.new("RGB", size, (255, 255, 255)).save(tmp_path / f"a{suffix}")
    found = pictures.read_rgb(tmp_path / f"a{suffix}")
    assert tuple(found.shape) == (3, size[1], size[0])
    assert found.min() >= 254


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".tif"])
def test_of_an_animation_the_first_picture_is_read(tmp_path: Path, suffix: str) -> None:
    first, second = Image.new("RGB", (8, 6), (255, 0, 0)), Image.new("RGB", (8, 6), (0, 0, 255))
    lossless = {"lossless": True} if suffix == ".webp" else {}
    first.save(tmp_path / f"a{suffix}", save_all=True, append_images=[second], **lossless)
    assert pictures.read_rgb(tmp_path / f"a{suffix}")[:, 3, 3].tolist() == [255, 0, 0]


@pytest.mark.parametrize("suffix", [".tif", ".jpg"])
def test_a_picture_of_printing_inks_becomes_rgb(tmp_path: Path, suffix: str) -> None:
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / f"a{suffix}")
    red, green, blue = pictures.read_rgb(tmp_path / f"a{suffix}")[:, 4, 4].tolist()
    assert red > 200
    assert max(green, blue) < 60


@pytest.mark.parametrize("depth", [8, 16])
def test_a_picture_whose_header_promises_too_many_pixels_is_refused_unread(tmp_path: Path, depth: int) -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, depth, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 99)), (b"IEND", b""))
    body = b"".join(struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(k + b)) for k, b in chunks)
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    with pytest.raises(DataError, match=r"bomb\.png has more than 150 million pixels; cut it, or remove it"):
        pictures.read(tmp_path / "bomb.png")
    with pytest.raises(DataError, match=r"bomb\.png has more than 150 million pixels"):
        open_folder(tmp_path)


def test_a_text_that_unpacks_to_gigabytes_is_refused(tmp_path: Path) -> None:
    text = b"a\0\0" + zlib.compress(b"\0" * 200_000_000, 1)
    picture = tmp_path / "a.png"
    Image.new("RGB", (4, 4)).save(picture)
    whole = picture.read_bytes()
    chunk = struct.pack(">I", len(text)) + b"zTXt" + text + struct.pack(">I", zlib.crc32(b"zTXt" + text))
    picture.write_bytes(whole[:33] + chunk + whole[33:])
    with pytest.raises(DataError, match="cannot be read as an image"):
        pictures.read(picture)
