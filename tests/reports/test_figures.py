"""The front's figure by what is drawn: no label covers another or a mark, none leaves its panel, in both themes."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from upbench.reports import places, plot_front, theme
from upbench.reports.survey import survey

NAMES = ["nearest", "bilinear", "bicubic", "polyphase-lanczos3", "lanczos5", "spline5", "wiener", "learned-edsr"]


def crowded(planted: Callable, seed: int) -> Any:
    """Names whose quality and time lie close together."""
    generator = np.random.default_rng(seed)
    times = np.sort(generator.uniform(1, 4, len(NAMES))) * 1e-3
    psnr = 30 + np.sort(generator.uniform(0, 2, len(NAMES)))
    of_image, of_cifar = (dict(zip(NAMES, times * factor, strict=True)) for factor in (1, 3))
    return survey(planted(psnr=dict(zip(NAMES, psnr, strict=True)), times={"image": of_image, "cifar": of_cifar}))


@pytest.mark.parametrize("colours", theme.THEMES, ids=lambda colours: colours.name)
@pytest.mark.parametrize("seed", range(3))
def test_labels_cover_nothing_and_stay_in_their_panel(planted: Callable, colours: theme.Theme, seed: int) -> None:
    found = crowded(planted, seed)
    with theme.styled(colours):
        figure = plot_front.draw(found, ["image", "cifar"], {"image": "one", "cifar": "many"}, colours)
        figure.draw_without_rendering()
        for axis, workload in zip(figure.axes, ("image", "cifar"), strict=True):
            boxes = [plot_front._extent(text) for text in axis.texts]
            assert len(boxes) >= 3
            assert not any(places.overlap(one, other) for one, other in itertools.combinations(boxes, 2))
            marks = [
                plot_front._around(axis, image, name, workload)
                for image in found.rated(workload)
                for name in image.timed(workload)
            ]
            assert not any(places.overlap(box, mark) > 4 for box in boxes for mark in marks)
            panel = plot_front._extent(axis)
            assert all(panel[0] <= box[0] and box[2] <= panel[2] + 1 for box in boxes)


def test_a_legend_lies_within_its_figure(planted: Callable) -> None:
    with theme.styled(theme.LIGHT):
        figure = plot_front.draw(crowded(planted, 0), ["image"], {"image": "one"}, theme.LIGHT)
        figure.draw_without_rendering()
        (legend,) = figure.legends
        box, (width, height) = legend.get_window_extent(), figure.get_size_inches() * figure.dpi
    assert box.x0 >= 0 and box.x1 <= width
    assert box.y0 >= 0 and box.y1 <= height


def test_nothing_is_smaller_than_eight_points_at_the_width_that_github_shows() -> None:
    shown = 830 / (theme.WIDTH * theme.DPI) * theme.DPI / 100
    assert theme.SMALL * shown >= 8
