"""A panel is a picture of every image that it was given."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from upbench.reports import panel


def flat(side: int, colour: tuple[int, ...]) -> np.ndarray:
    return np.full((side, side, len(colour)), colour, dtype=np.uint8)


def colours(path: Path) -> set[tuple[int, ...]]:
    with Image.open(path) as image:
        return set(map(tuple, np.asarray(image.convert("RGB")).reshape(-1, 3).tolist()))


@pytest.mark.parametrize("count", [1, 7])
def test_every_image_is_there_whatever_their_number(tmp_path: Path, count: int) -> None:
    shades = [(10 * i + 5, 200 - 10 * i, 77) for i in range(count)]
    panel.draw(tmp_path / "panel.png", [(str(i), flat(8, shade)) for i, shade in enumerate(shades)])
    assert set(shades) <= colours(tmp_path / "panel.png")


def test_images_of_many_sizes_and_kinds_stand_side_by_side(tmp_path: Path) -> None:
    items = [
        ("grey", np.full((5, 9), 123, dtype=np.uint8)),
        ("colour", flat(64, (1, 200, 3))),
        ("alpha", flat(16, (200, 1, 3, 255))),
        ("one pixel", flat(1, (9, 8, 207))),
    ]
    panel.draw(tmp_path / "panel.png", items, title="all kinds")
    assert {(123, 123, 123), (1, 200, 3), (200, 1, 3), (9, 8, 207)} <= colours(tmp_path / "panel.png")
