"""What the page says of methods whose ratio was measured in turn, and which pairs that should be."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from upbench.reports import advice, first, markdown, same_pixels
from upbench.reports.report import Report

PSNR = {"bilinear": 27.0, "polyphase-bilinear": 27.0, "wiener": 29.0}
TIMES = {"image": {"bilinear": 2e-3, "polyphase-bilinear": 1e-3, "wiener": 5e-3}}
AXES = "x2/image/cpu/float32/contiguous/eager/forward/1t"


@pytest.fixture
def report(planted: Callable) -> Report:
    run = planted(psnr=PSNR, times=TIMES)
    run.quality["pixels"] = ["bilinear", "bilinear", "wiener"]
    return Report(run=run)


def with_duel(report: Report, baseline: str, candidate: str, ratio: float, reach: float = 0.02) -> Report:
    cell: dict[str, Any] = {"cell": f"{baseline}->{candidate}/{AXES}", "methods": [baseline, candidate]}
    cell |= {"ratio": ratio, "low": ratio * (1 - reach), "high": ratio * (1 + reach)}
    return Report(run=replace(report.run, front={"comparisons": [{"cells": [cell]}]}))


def sooner(report: Report) -> str:
    return markdown.write(same_pixels.blocks(report))


def test_what_is_called_and_what_is_faster_is_measured_and_so_are_neighbours_on_the_front(report: Report) -> None:
    expected = [("bilinear", "polyphase-bilinear"), ("polyphase-bilinear", "wiener")]
    assert advice.deciding(report, "image") == expected


def test_a_duel_says_how_many_times_faster_with_its_interval(report: Report) -> None:
    told = with_duel(report, "bilinear", "polyphase-bilinear", 0.4)
    assert "`polyphase-bilinear` 2.5× (2.5 to 2.6)" in sooner(told)
    assert "`polyphase-bilinear` 2.0×" in sooner(report), "without a duel, by the samples"
    (line,) = advice.sooner(told, "image")
    assert "gives the same pixels 2.5× (2.5 to 2.6) faster" in markdown.markdown(line)


@pytest.mark.parametrize("ratio", [1.0, 1.3])
def test_no_method_is_called_faster_that_the_duel_does_not_show_to_be(report: Report, ratio: float) -> None:
    told = with_duel(report, "bilinear", "polyphase-bilinear", ratio)
    assert "keep it" in sooner(told)
    assert advice.sooner(told, "image") == []


@pytest.mark.parametrize(
    ("ratio", "said"),
    [(2.0, "takes 2.00× as long on one picture (1.96 to 2.04)"), (0.5, "takes 0.50× as long"), (1.1, "")],
)
def test_a_plain_process_is_told_of_where_it_takes_another_time(report: Report, ratio: float, said: str) -> None:
    cell = {"cell": f"bilinear/{AXES}", "ratio": ratio, "low": ratio * 0.98, "high": ratio * 1.02}
    told = Report(
        run=replace(report.run, allocators={"comparisons": [{"settings": {"threshold": 0.2}, "cells": [cell]}]})
    )
    page = markdown.write(first.section(told))
    assert said in page
    assert ("In your own program" in page) == ("MALLOC_TRIM_THRESHOLD_=8589934592" in page) == bool(said)
