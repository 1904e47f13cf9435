"""The words, from what the trials found."""

import numpy as np
import pytest

from upbench.bench.deploy.verdicts import (
    OTHER,
    REFUSES,
    SAME,
    SILENT,
    STATIC,
    Difference,
    Trial,
    difference,
    judge,
    judge_shapes,
)


def trial(largest: float | None, *, exported: bool = False, size: str = "96x40") -> Trial:
    found = None if largest is None else Difference(largest=largest, steps=round(255 * largest), where="")
    return Trial(size=size, exported=exported, difference=found, reason="" if found else "ValueError: no")


AT_SIZE = trial(1e-7, exported=True, size="256x256")


@pytest.mark.parametrize(
    ("trials", "verdict"),
    [
        ([AT_SIZE], SAME),
        ([AT_SIZE, trial(1e-6)], SAME),
        ([AT_SIZE, trial(None)], STATIC),
        ([AT_SIZE, trial(0.2)], SILENT),
        ([AT_SIZE, trial(None), trial(0.2)], SILENT),
        ([trial(0.01, exported=True), trial(0.01)], OTHER),
        ([trial(None, exported=True)], REFUSES),
        ([AT_SIZE, trial(0.3, exported=True, size="a darker image")], OTHER),
        ([AT_SIZE, trial(None, exported=True, size="a darker image")], REFUSES),
    ],
)
def test_each_outcome_has_its_word(trials: list[Trial], verdict: str) -> None:
    assert judge(trials)["verdict"] == verdict


def test_a_reason_names_the_sizes() -> None:
    assert "96x40" in str(judge([AT_SIZE, trial(0.2)])["reason"])
    assert "ValueError" in str(judge([AT_SIZE, trial(None)])["reason"])


def test_where_pixels_differ() -> None:
    eager = np.zeros((1, 1, 40, 40), dtype=np.float32)
    border, inside = eager.copy(), eager.copy()
    border[..., 0, :] = inside[..., 20, 20] = 10 / 255
    assert difference(border, eager, 2).where == "border"
    assert difference(inside, eager, 2).where == "inside"
    assert difference(inside, eager, 2).steps == 10


def test_a_tie_that_rounding_flips_is_no_other_pixel() -> None:
    eager = np.full((1, 1, 8, 8), 100.5 / 255, dtype=np.float32)
    there = eager + np.float32(2e-7)
    assert judge([Trial(size="8x8", exported=True, difference=difference(there, eager, 2))])["verdict"] == SAME


def test_nan_is_as_far_off_as_can_be() -> None:
    eager = np.zeros((1, 1, 8, 8), dtype=np.float32)
    assert difference(eager * np.nan, eager, 2).largest == float("inf")


def test_shapes_are_told_apart() -> None:
    empty = Trial(size="batch 0", exported=True, reason="eager: no")
    found = judge_shapes([trial(1e-7, size="3x3"), trial(0.2, size="2x2"), trial(None, size="1x1")], [empty])
    assert found["verdict"] == SILENT
    assert found["reason"] == "wrong at 2x2; refuses 1x1: ValueError: no"
    assert found["note"] == "same at 3x3; eager refuses batch 0"
    assert found["largest"] == 0.2
    assert judge_shapes([trial(1e-7), trial(None)], [])["verdict"] == REFUSES
    assert judge_shapes([trial(1e-7)], [empty])["verdict"] == SAME
