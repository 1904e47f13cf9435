"""The figures, by what is drawn in them."""

import itertools

import pandas as pd
from matplotlib.figure import Figure

from upbench.reports import headline


def test_names_of_neighbouring_points_do_not_cover_each_other() -> None:
    points = pd.DataFrame(
        {"method": ["first", "second", "third"], "ms": [1.0, 1.1, 1.2], "psnr_db": [30.0, 30.1, 30.2]}
    )
    figure = Figure(layout="constrained")
    axis = figure.subplots()
    axis.set(xscale="log", xlim=(0.1, 10), ylim=(20, 40))
    figure.draw_without_rendering()
    headline._name(axis, points)
    figure.draw_without_rendering()

    boxes = [label.get_window_extent() for label in axis.texts]
    assert [label.get_text() for label in axis.texts] == ["first", "second", "third"]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
