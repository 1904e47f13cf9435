"""Any folder of images, of any sizes: Set5, Kodak, your own. Read one at a time, in the order of their names."""

from pathlib import Path

from PIL import Image

from upbench.datasets import pictures
from upbench.datasets.errors import DataError
from upbench.datasets.names import PICTURE_SUFFIXES
from upbench.datasets.source import Batch, Dataset


def open_folder(directory: Path, limit: int | None = None) -> Dataset:
    """A dataset of the pictures directly in `directory`, converted to 8-bit RGB.

    Their sides are cropped to multiples of the scale, as the super-resolution literature does. Raises
    `DataError` when the folder is missing, holds no picture, or holds a picture that cannot be read.
    """
    if not directory.is_dir():
        raise DataError(f"There is no folder {directory}.")
    paths = sorted(path for path in directory.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES)[:limit]
    if not paths:
        raise DataError(f"{directory} holds no images; expected files such as *.png or *.jpg.")
    for path in paths:
        _check_header(path)

    def read(start: int, stop: int) -> Batch:
        path = paths[start]
        return Batch(ids=[path.name], images=pictures.read_rgb(path)[None])

    noun = "image" if len(paths) == 1 else "images"
    return Dataset(
        name=f"folder:{directory.resolve().name}",
        split="test",
        description=f"{len(paths):,} {noun} of the folder {directory.resolve().name}",
        size=len(paths),
        crops=True,
        _read=read,
        _largest_batch=1,
    )


def _check_header(path: Path) -> None:
    try:
        with path.open("rb") as file, pictures.opened(file) as image:
            pictures.decline_unknown_white(path, image)
    except DataError:
        raise
    except Image.DecompressionBombError as error:
        raise pictures.too_large(path) from error
    except Exception as error:  # a damaged header can raise anything
        raise DataError(f"{path} cannot be read as an image; remove it or mend it.") from error
