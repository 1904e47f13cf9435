"""What the page says of methods whose ratio was measured in turn, and which pairs that should be."""

import pandas as pd
import pytest

from upbench.reports import advice
from upbench.reports.duels import Duel

POINTS = pd.DataFrame(
    {
        "method": ["fast", "bilinear", "best"],
        "psnr_db": [27.0, 27.0, 29.0],
        "ssim": [0.8, 0.8, 0.9],
        "pixels": ["bilinear", "bilinear", "best"],
        "seconds": [1e-3, 2e-3, 5e-3],
    }
)


def duel(baseline: str, candidate: str, ratio: float, reach: float = 0.02) -> dict[tuple[str, str], Duel]:
    about = {"workload": "image", "baseline": baseline, "candidate": candidate}
    return {(baseline, candidate): Duel(**about, ratio=ratio, low=ratio * (1 - reach), high=ratio * (1 + reach))}


def test_what_is_called_and_what_is_faster_is_measured_and_so_are_neighbours_on_the_front():
    assert advice.deciding(POINTS) == [("bilinear", "fast"), ("fast", "best")]


def test_a_duel_says_how_many_times_faster_with_its_interval():
    (line,) = advice.switch_sentences(POINTS, duel("bilinear", "fast", 0.4))
    assert line == "You call `bilinear`; `fast` gives the same pixels 2.50x faster (2.45 to 2.55)."


@pytest.mark.parametrize("ratio", [1.0, 1.3])
def test_no_method_is_called_faster_that_the_duel_does_not_show_to_be(ratio):
    assert advice.switch_sentences(POINTS, duel("bilinear", "fast", ratio)) == []


def test_neighbours_on_the_front_that_cannot_be_told_apart_share_the_place():
    found = advice.front(POINTS)
    assert "shares the place with `fast`" in advice.sentences(found, duel("fast", "best", 1.01))[1]
    assert "4.80x the time of `fast` (4.70 to 4.90)" in advice.sentences(found, duel("fast", "best", 4.8))[1]
    assert "5.0x the fastest's time" in advice.sentences(found)[1]
