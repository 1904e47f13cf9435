"""Tables as GitHub shows them: rounding, the best in bold, order, and what was not measured."""

import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from upbench.reports import tables
from upbench.reports.tables import markdown


def cells(text: str, line: int) -> list[str]:
    """The cells of a line of a markdown table; a pipe behind a backslash does not part them."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", text.splitlines()[line])[1:-1]]


def test_a_frame_becomes_a_github_table_with_numbers_to_the_right() -> None:
    text = markdown(pd.DataFrame({"method": ["a", "b"], "dB": [1.0, 22.345]}), {"dB": ".2f"})
    assert text.splitlines() == ["| method | dB |", "|---|---:|", "| a | 1.00 |", "| b | 22.34 |"]


@pytest.mark.parametrize("which, best", [("max", "30.0"), ("min", "10.0")])
def test_the_best_of_a_column_is_bold(which: str, best: str) -> None:
    text = markdown(pd.DataFrame({"m": list("abc"), "x": [10.0, 30.0, 20.0]}), {"x": ".1f"}, {"x": which})
    assert re.findall(r"\*\*(.*?)\*\*", text) == [best]


def test_values_that_print_alike_share_the_bold() -> None:
    text = markdown(pd.DataFrame({"m": list("abc"), "x": [1.001, 1.002, 0.5]}), {"x": ".2f"}, {"x": "max"})
    assert [cells(text, line)[1] for line in (2, 3, 4)] == ["**1.00**", "**1.00**", "0.50"]


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA])
def test_a_missing_value_is_an_empty_cell_and_never_the_best(missing: object) -> None:
    table = pd.DataFrame({"m": ["a", "b"], "x": pd.Series([missing, 2.0], dtype=object)})
    text = markdown(table, {"x": ".1f"}, {"x": "min"})
    assert cells(text, 2) == ["a", ""]
    assert cells(text, 3) == ["b", "**2.0**"]


def test_a_column_without_any_value_has_no_best() -> None:
    text = markdown(pd.DataFrame({"m": ["a"], "x": [np.nan]}), {"x": ".1f"}, {"x": "max"})
    assert "**" not in text


def test_a_pipe_does_not_part_a_cell() -> None:
    text = markdown(pd.DataFrame({"method": ["a|b"], "reason": ["left | right"]}))
    assert cells(text, 2) == [r"a\|b", r"left \| right"]


def test_what_rounds_to_zero_has_no_minus() -> None:
    text = markdown(pd.DataFrame({"x": [-1e-9, -0.4]}), {"x": ".1f"})
    assert [cells(text, line) for line in (2, 3)] == [["0.0"], ["-0.4"]]


def test_infinity_is_printed_not_hidden() -> None:
    text = markdown(pd.DataFrame({"x": [np.inf, 30.0]}), {"x": ".2f"}, {"x": "max"})
    assert cells(text, 2) == ["**inf**"]


def test_the_headline_joins_quality_and_speed_best_first(planted: Callable) -> None:
    run = planted(
        psnr={"nearest": 24.0, "bicubic": 26.0, "bilinear": 25.0},
        times={"image": {"copy": 1e-4, "nearest": 1e-3, "bicubic": 5e-3, "spline3": 3e-3}, "single": {"nearest": 2e-6}},
    )
    table = tables.headline(run.quality, run.speed)
    assert list(table["method"]) == ["bicubic", "bilinear", "nearest", "spline3"], "the copy is no method"
    found = table.set_index("method")
    assert found.loc["bicubic", "PSNR (dB)"] == 26.0
    assert found.loc["bicubic", "image (ms)"] == pytest.approx(5)
    assert found.loc["nearest", "single (ms)"] == pytest.approx(2e-3)
    assert pd.isna(found.loc["bilinear", "image (ms)"])
    assert pd.isna(found.loc["spline3", "PSNR (dB)"])


def test_the_headline_shows_the_first_degradation_and_scale_only(planted: Callable) -> None:
    first = planted(psnr={"nearest": 24.0}).quality
    everything = pd.concat([first, first.assign(scale=4, psnr_db=20.0), first.assign(degradation="area", psnr_db=30.0)])
    assert list(tables.headline(everything, pd.DataFrame())["PSNR (dB)"]) == [24.0]


def test_what_was_skipped_or_failed_is_listed_with_equal_reasons_together() -> None:
    quality = pd.DataFrame(
        {
            "method": ["nearest", "picky", "picky", "broken"],
            "degradation": "bicubic",
            "scale": [2, 2, 4, 2],
            "dtype": "float32",
            "status": ["ok", "skipped", "skipped", "failed"],
            "reason": ["", "needs a moon", "needs a moon", "it raised"],
        }
    )
    speed = pd.DataFrame({"cell": ["late/x2/image/cpu"], "status": ["failed"], "reason": ["the process died"]})
    listed = tables.not_measured(quality, speed).set_index("method")
    assert set(listed.index) == {"picky", "broken", "late"}
    assert listed.loc["picky", "reason"] == "needs a moon"
    assert "1 more" in listed.loc["picky", "what"]
    assert listed.loc["late", "reason"] == "the process died"


def test_nothing_left_out_is_an_empty_table() -> None:
    empty = pd.DataFrame(columns=["cell", "status", "reason"])
    assert tables.not_measured(pd.DataFrame(), empty).empty


@pytest.mark.parametrize("value, text", [(1454.0, "1450"), (0.00123, "0.00123"), (1.2e6, "1200000"), (12.34, "12.3")])
def test_large_numbers_are_written_in_full(value: float, text: str) -> None:
    assert tables.number(value, ".3g") == text
