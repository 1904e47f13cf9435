"""A person's own picture files: read and written without losing depth, transparency or orientation."""

import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from upbench.datasets.errors import DataError, said

LARGEST = 150_000_000  # pixels: 0.5 GB of bytes, 7 GB while they are floating point and copied
PNG_COLOUR_TYPE = {1: 0, 2: 4, 3: 2, 4: 6}


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Pixels as float32 `(C, H, W)` in [0, 1]: grey, grey + alpha, RGB or RGBA, with the file's bit depth."""

    pixels: Tensor
    bits: int

    @property
    def has_alpha(self) -> bool:
        """Whether the last channel is transparency."""
        return self.pixels.shape[0] in (2, 4)


def read(path: Path) -> Picture:
    """Read a picture of 8 or 16 bits, turned upright as its EXIF orientation says.

    Raises `DataError` when it is missing or cannot be read as an image.
    """
    try:
        # Opened by its name, an uncompressed TIFF with a quarter turn is scrambled by Pillow 13.0 (it maps the file).
        with path.open("rb") as file, opened(file) as image:
            if _is_deep_colour_png(path):
                return _read_deep_png(path)
            decline_unknown_white(path, image)
            if image.mode.startswith("I"):
                return _read_deep_grey(path, image)
            mode = _plain_mode(image)
            array = np.asarray(ImageOps.exif_transpose(image).convert(mode))
    except DataError:
        raise
    except FileNotFoundError as error:
        raise DataError(f"There is no file {path}.") from error
    except Image.DecompressionBombError as error:
        raise too_large(path) from error
    except Exception as error:  # a damaged picture can raise anything
        raise DataError(f"{path} cannot be read as an image: it is damaged or of another kind.") from error
    channels_last = torch.from_numpy(array.copy()).reshape(*array.shape[:2], -1)
    return Picture(pixels=channels_last.permute(2, 0, 1).to(torch.float32) / 255, bits=8)


def read_rgb(path: Path) -> Tensor:
    """A picture as uint8 `(3, H, W)` RGB, transparency dropped; raises `DataError` as `read` does."""
    pixels = read(path).pixels
    colour = pixels[:3] if pixels.shape[0] >= 3 else pixels[:1].expand(3, -1, -1)
    return (colour * 255).round().to(torch.uint8)


def write(path: Path, picture: Picture) -> None:
    """Write a picture at its own bit depth (16 bits as PNG only); values outside [0, 1] are clamped.

    Raises `DataError` when the file's kind cannot hold it.
    """
    top = 65535 if picture.bits == 16 else 255
    levels = (picture.pixels.double().clamp(0, 1) * top).round().permute(1, 2, 0).cpu().numpy()
    if picture.bits == 16:
        if path.suffix.lower() != ".png":
            raise DataError(f"{path.name}: 16-bit pictures are written as .png only.")
        path.write_bytes(_deep_png(levels.astype(">u2")))
        return
    eight = levels.astype(np.uint8)
    try:
        Image.fromarray(eight[..., 0] if eight.shape[2] == 1 else eight).save(path)
    except (ValueError, KeyError, OSError) as error:
        raise DataError(f"{path.name} cannot be written ({said(error)}); try a name that ends in .png.") from error


def opened(file: BinaryIO) -> Image.Image:
    """Pillow's image, its pixels not decoded yet; of animations the first. Above `LARGEST` pixels it is refused.

    Raises what Pillow raises, `Image.DecompressionBombError` for too many pixels.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # Pillow warns at half of what it refuses
        image = Image.open(file)
    if image.width * image.height > LARGEST:
        raise Image.DecompressionBombError
    return image


def too_large(path: Path) -> DataError:
    """What is said of a picture above the limit."""
    return DataError(f"{path} has more than {LARGEST / 1e6:.0f} million pixels; cut it, or remove it.")


def decline_unknown_white(path: Path, image: Image.Image) -> None:
    """Raise `DataError` for floating-point values: the file does not say which of them is white."""
    if image.mode == "F":
        raise _unknown_white(path)


def _unknown_white(path: Path) -> DataError:
    return DataError(f"{path} holds values of 32 bits, whose white is not known; save it with 8 or 16 bits.")


def _read_deep_grey(path: Path, image: Image.Image) -> Picture:
    upright = np.asarray(ImageOps.exif_transpose(image))
    if upright.min() < 0 or upright.max() > 65535:
        raise _unknown_white(path)
    return Picture(pixels=torch.from_numpy(upright.astype(np.float32) / 65535)[None], bits=16)


def _plain_mode(image: Image.Image) -> str:
    grey = image.mode in ("1", "L", "LA")
    alpha = "A" in image.getbands() or "transparency" in image.info
    return ("LA" if alpha else "L") if grey else ("RGBA" if alpha else "RGB")


def _is_deep_colour_png(path: Path) -> bool:
    """Pillow would cut a 16-bit colour PNG to 8 bits; its header tells (PNG specification, IHDR)."""
    with path.open("rb") as file:
        header = file.read(26)
    return header[:8] == b"\x89PNG\r\n\x1a\n" and header[24] == 16 and header[25] != 0


def _read_deep_png(path: Path) -> Picture:
    from torchvision.io import ImageReadMode, read_image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # torchvision 0.29 announces that it will go
            levels = read_image(str(path), ImageReadMode.UNCHANGED, apply_exif_orientation=True)
    except RuntimeError as error:
        raise ValueError(str(error)) from error
    return Picture(pixels=levels.to(torch.float32) / 65535, bits=16)


def _deep_png(levels: np.ndarray[tuple[int, ...], np.dtype[np.uint16]]) -> bytes:
    """A 16-bit PNG (PNG specification: signature, IHDR, IDAT of unfiltered rows, IEND); Pillow writes 8 bits only."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    height, width, channels = levels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in levels)
    header = struct.pack(">IIBBBBB", width, height, 16, PNG_COLOUR_TYPE[channels], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
