"""A claim's verdict follows the figures: plant others, and it changes."""

from collections.abc import Callable

import pytest

from upbench.reports.claims import check

BASE = {"nearest": 24.0, "bilinear": 25.0, "bicubic": 26.0}
SPEED = {"bilinear": 2.0e-3, "bicubic": 5.0e-3}


def verdict(planted: Callable, number: int, **figures: object) -> str:
    return check(planted(**figures))[number - 1].verdict


@pytest.mark.parametrize(
    "bilinear, expected",
    [(0.05, "does not hold"), (0.32, "does not hold"), (0.5, "depends"), (0.9, "holds"), (1.1, "holds")],
)
def test_jagged_edges_are_a_matter_of_bilinears_share_of_nearests(
    planted: Callable, bilinear: float, expected: str
) -> None:
    edges = {"nearest": (1.0, 1.0), "bilinear": (bilinear, 3.0), "bicubic": (0.05, 2.0)}
    assert verdict(planted, 1, psnr=BASE, edges=edges) == expected


def test_the_first_claims_evidence_shows_the_measured_figures(planted: Callable) -> None:
    edges = {"nearest": (0.876, 1.23), "bilinear": (0.123, 3.21), "bicubic": (0.057, 2.34)}
    evidence = check(planted(psnr=BASE, edges=edges))[0].evidence
    for figure in ("0.876", "0.123", "0.057", "1.23", "3.21", "2.34", "x2"):
        assert figure in evidence
    assert "blur, not steps" in evidence


@pytest.mark.parametrize(
    "psnr, seconds, expected",
    [
        (26.5, 9e-3, "holds"),
        (26.5, 1e-3, "depends"),
        (24.0, 9e-3, "does not hold"),
        (24.0, 1e-3, "does not hold"),
        (25.03, 9e-3, "does not hold"),
    ],
    ids=["better and dearer", "better and cheaper", "worse and dearer", "worse and cheaper", "not visibly better"],
)
def test_transposed_convolution_needs_more_detail_and_more_time(
    planted: Callable, psnr: float, seconds: float, expected: str
) -> None:
    times = {"image": SPEED | {"transposed-bilinear": seconds}}
    assert verdict(planted, 2, psnr=BASE | {"transposed-bilinear": psnr}, times=times) == expected


def test_transposed_convolution_depends_where_one_workload_says_otherwise(planted: Callable) -> None:
    times = {
        "image": SPEED | {"transposed-bilinear": 9e-3},
        "single": SPEED | {"transposed-bilinear": 1e-3},
    }
    run = planted(psnr=BASE | {"transposed-bilinear": 26.5}, times=times)
    claim = check(run)[1]
    assert claim.verdict == "depends"
    assert "4.50x" in claim.evidence
    assert "0.50x" in claim.evidence


@pytest.mark.parametrize(
    "psnr, seconds, expected",
    [
        (24.0, 1e-3, "holds"),
        (24.0, 9e-3, "depends"),
        (26.0, 1e-3, "depends"),
        (26.0, 9e-3, "does not hold"),
    ],
    ids=["fast and worse", "slow and worse", "fast and better", "slow and better"],
)
def test_pixel_shuffle_needs_to_be_fastest_and_worse(
    planted: Callable, psnr: float, seconds: float, expected: str
) -> None:
    times = {"image": SPEED | {"pixel-shuffle": seconds}}
    assert verdict(planted, 3, psnr=BASE | {"pixel-shuffle": psnr}, times=times) == expected


def test_pixel_shuffle_depends_where_it_is_fastest_on_one_workload_only(planted: Callable) -> None:
    times = {"image": SPEED | {"pixel-shuffle": 1e-3}, "single": SPEED | {"pixel-shuffle": 9e-3}}
    claim = check(planted(psnr=BASE | {"pixel-shuffle": 24.0}, times=times))[2]
    assert claim.verdict == "depends"
    assert "place 1 of 3 on image" in claim.evidence
    assert "place 3 of 3 on single" in claim.evidence
    assert "-1.00 dB" in claim.evidence


def test_a_claim_whose_methods_were_not_measured_says_so(planted: Callable) -> None:
    assert [claim.verdict for claim in check(planted(psnr={"spline3": 26.0}))] == ["not measured"] * 3


def test_quality_alone_does_not_decide_what_costs_more(planted: Callable) -> None:
    psnr = BASE | {"transposed-bilinear": 26.5, "pixel-shuffle": 24.0}
    second, third = check(planted(psnr=psnr))[1:]
    assert second.verdict in ("depends", "not measured")
    assert third.verdict == "not measured"


def test_a_method_that_failed_counts_as_not_measured(planted: Callable) -> None:
    run = planted(psnr={"nearest": 24.0, "bilinear": 25.0, "pixel-shuffle": None}, times={"image": SPEED})
    assert check(run)[2].verdict == "not measured"
