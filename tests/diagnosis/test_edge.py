"""The slanted edge, which the article's first claim is held against."""

from functools import partial
from typing import Any

import pytest
import torch

from upbench.bench.adapters import Adapter, select
from upbench.bench.conformance import conforming
from upbench.bench.diagnosis.edge import edge_figures, slanted_edge
from upbench.bench.diagnosis.targets import diagnose

CPU = torch.device("cpu")


def diagnosed(adapter: Adapter) -> dict[str, Any]:
    """A method's row at scale 2."""
    return diagnose(partial(conforming, adapter, 2, CPU), adapter.name, 2, CPU)[0]


def test_the_slanted_edge_is_drawn_by_area_and_leans() -> None:
    edge = slanted_edge()
    assert edge.shape == (32, 32)
    assert (edge.min(), edge.max()) == (0, 1)
    assert edge.mean().item() == pytest.approx(0.5, abs=1e-6)
    moved = (edge[0] > 0.5).float().argmax() - (edge[-1] > 0.5).float().argmax()
    assert abs(moved.item()) in (7, 8)


def test_a_straight_edge_has_no_jaggedness_and_a_stair_has() -> None:
    columns, rows = torch.arange(64.0)[None], torch.arange(64.0)[:, None]
    straight = ((columns - 24 - rows / 4) / 20 + 0.5).clamp(0, 1).double().numpy()
    stair = ((columns - 24 - (rows / 4).floor() - 0.5) / 20 + 0.5).clamp(0, 1).double().numpy()
    assert edge_figures(straight)["jaggedness_pixels"] < 0.02 < edge_figures(stair)["jaggedness_pixels"]
    assert edge_figures(straight)["edge_width_pixels"] == pytest.approx(0.8 * 20, abs=0.01)
    assert edge_figures(straight)["overshoot"] == 0
    assert edge_figures(straight * 1.2 - 0.1)["overshoot"] == pytest.approx(0.1)


def test_nearest_is_more_jagged_than_bilinear_which_is_wider() -> None:
    nearest, bilinear = (diagnosed(select([name])[0]) for name in ("nearest", "bilinear"))
    assert nearest["jaggedness_pixels"] > 2 * bilinear["jaggedness_pixels"]
    assert bilinear["edge_width_pixels"] > nearest["edge_width_pixels"]


def test_an_image_without_an_edge_has_a_reason_in_place_of_figures() -> None:
    dark = Adapter(
        name="dark",
        module="own",
        load=lambda: lambda *_: lambda low: low.repeat_interleave(2, 2).repeat_interleave(2, 3) * 0.1,
    )
    row = diagnosed(dark)
    assert "does not rise from black to white" in row["reason"]
    assert "jaggedness_pixels" not in row
