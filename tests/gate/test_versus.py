"""Two methods in one environment, over fake workers."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from upbench.bench.cells import Cell
from upbench.bench.gate import allocators, versus
from upbench.bench.gate.sides.environments import Environment
from upbench.bench.gate.sides.side import Question
from upbench.bench.gate.versus import Versus, ratios
from upbench.bench.stage import Silent
from upbench.bench.store import read_json
from upbench.reports.plain import telling

CELL = Cell(method="", scale=2, workload="single")


@pytest.fixture
def measured(fake, tmp_path, monkeypatch):
    """Rows for two methods whose workers behave as told."""

    def measure(baseline: dict, candidate: dict, *pairs: Versus, **options) -> list[dict]:
        pythons = {"baseline": fake("one", **baseline), "candidate": fake("other", **candidate)}
        about = {"torch": "0", "torchvision": None, "torchvision_reason": ""}
        monkeypatch.setattr(versus, "running", lambda label: Environment(label=label, python=pythons[label], **about))
        return ratios(pairs, tmp_path / "out", cache=tmp_path / "cache", **options)

    return measure


def test_the_ratio_of_two_methods_has_an_interval_and_says_who_is_faster(measured, tmp_path):
    (row,) = measured({}, {"ratio": 0.25}, Versus(cell=CELL, baseline="bilinear", candidate="polyphase-bilinear"))
    assert row["ratio"] == pytest.approx(0.25, rel=0.02)
    assert row["high"] / row["low"] < 1.03
    assert (row["verdict"], row["place"]) == ("FASTER", "polyphase-bilinear")
    assert row["methods"] == ["bilinear", "polyphase-bilinear"]
    assert row["cell"].startswith("bilinear->polyphase-bilinear/x2/single/")
    (comparison,) = read_json(tmp_path / "out" / "front.json")["comparisons"]
    assert len(comparison["cells"][0]["visits"]) == row["pairs"]
    assert not comparison["same"]


def test_methods_that_cannot_be_told_apart_share_the_place(measured):
    (row,) = measured({}, {}, Versus(cell=CELL, baseline="nearest", candidate="nearest"))
    assert row["verdict"] == "SAME"
    assert row["low"] <= 1 <= row["high"] or abs(row["ratio"] - 1) < 0.01


def test_each_side_loads_its_own_method(measured, tmp_path):
    measured({}, {}, Versus(cell=CELL, baseline="bilinear", candidate="mine.py:mine"), budget=2.0)
    asked = {
        name: {json.loads(line)["method"] for line in (tmp_path / name / "asked").read_text().splitlines()}
        for name in ("one", "other")
    }
    assert asked == {"one": {"bilinear"}, "other": {"mine.py:mine"}}


def test_what_a_method_declines_is_skipped_and_not_a_failure_of_the_other(measured):
    declines = {"trouble": {"nearest->bicubic": "skip"}, "when": "prepare"}
    (row,) = measured({}, declines, Versus(cell=CELL, baseline="nearest", candidate="bicubic"))
    assert (row["verdict"], row["ratio"], row["place"]) == ("SKIPPED", None, "")


def test_a_pair_that_is_asked_twice_is_measured_once_and_none_is_no_work(measured):
    pair = Versus(cell=CELL, baseline="nearest", candidate="bilinear")
    assert len(measured({}, {}, pair, pair, budget=2.0)) == 1
    assert ratios([], Path("nowhere")) == []


def test_the_interval_is_narrowed_to_the_precision_that_is_asked(measured):
    noisy = {"between": 0.02}
    (row,) = measured(noisy, noisy | {"ratio": 2.0}, Versus(cell=CELL, baseline="a", candidate="b"), precision=0.01)
    assert row["verdict"] == "SLOWER"
    assert row["high"] / row["low"] < 1.025 or row["pairs"] >= 60


def test_a_pair_is_left_as_soon_as_it_is_told_who_is_faster(measured):
    noisy = {"between": 0.02}
    pair = Versus(cell=CELL, baseline="a", candidate="b")
    (row,) = measured(noisy, noisy | {"ratio": 1.4}, pair, precision=None, tie=0.05)
    assert (row["verdict"], row["place"]) == ("SLOWER", "a")
    assert row["pairs"] <= 8


def test_methods_that_tie_are_left_as_soon_as_that_is_told(measured):
    (row,) = measured({}, {"ratio": 1.0}, Versus(cell=CELL, baseline="a", candidate="b"), precision=None, tie=0.05)
    assert row["verdict"] == "SAME" or abs(row["ratio"] - 1) < 0.02
    assert row["pairs"] <= 8


def test_a_plain_process_is_compared_with_memory_held_still(fake, tmp_path, monkeypatch):
    pythons = {"baseline": fake("held"), "candidate": fake("plain", ratio=2.0)}
    about = {"torch": "0", "torchvision": None, "torchvision_reason": ""}
    monkeypatch.setattr(versus, "running", lambda label: Environment(label=label, python=pythons[label], **about))
    questions = [Question(name=replace(CELL, method=name).name, method=name) for name in ("nearest", "bicubic")]
    record = allocators.compare(questions, tmp_path, 20.0, tmp_path / "cache", Silent())
    assert [record[side]["allocator"] for side in ("baseline", "candidate")] == ["held", "plain"]
    assert [cell["verdict"] for cell in record["cells"]] == ["SLOWER", "SLOWER"]
    assert {cell["pixels"] for cell in record["cells"]} == {cell["memory"] for cell in record["cells"]} == {None}
    assert {cell["method"] for cell in telling(record)} == {"nearest", "bicubic"}
    assert read_json(tmp_path / "allocators.json")["comparisons"] == [record]
    on_a_gpu = [Question(name=replace(CELL, method="nearest", device="cuda").name, method="nearest")]
    assert allocators.compare(on_a_gpu, tmp_path, 20.0, tmp_path / "cache", Silent()) == {"cells": []}
