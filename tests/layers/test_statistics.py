"""Layers over seeds: intervals, places, collapsed trainings, and what the report says of them. No training here."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from upbench.bench.layers import stage, statistics
from upbench.reports import claims, layers, layers_claim, layers_page, markdown
from upbench.reports.frame import read
from upbench.reports.report import Report

NOISE = np.random.default_rng(0).normal(0, 1, (12, 5))


def rows(gains: dict[str, float], noise: float = 0.01, **axes: Any) -> list[dict[str, Any]]:
    """Five seeds of each layer: a seed's own level, the layer's gain in dB, and a little noise."""
    return [
        {"layer": layer, "task": "autoencoder", "fairness": "drop-in", "initialisation": "equal", "rate": 0.002}
        | {"seed": seed, "status": "ok", "reason": "", "collapsed": "", "psnr_db": 25 + seed / 2 + gain + noise * grain}
        | {"infer_ratio": 0.8 if layer.startswith("transposed") else 1.0, "macs": 1e6, "parameters": 100}
        | {"start_checkerboard_levels": 1.0, "checkerboard_levels": 0.5}
        | axes
        for (layer, gain), grains in zip(gains.items(), NOISE, strict=False)
        for seed, grain in enumerate(grains)
    ]


def frame(*parts: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame([row for part in parts for row in part], columns=list(stage.COLUMNS))


LAYERS = {"nearest+conv3": 0.0, "bilinear+conv3": 0.0, "transposed-k2": 0.5, "transposed-k4": 0.5}


def test_layers_that_the_seeds_cannot_tell_apart_share_a_place() -> None:
    places = statistics.summary(frame(rows(LAYERS))).set_index("layer")["place"].to_dict()
    assert places == {"nearest+conv3": 3, "bilinear+conv3": 3, "transposed-k2": 1, "transposed-k4": 1}


def test_pairing_over_seeds_takes_out_what_a_seed_does_to_all() -> None:
    found = statistics.summary(frame(rows(LAYERS))).set_index("layer").loc["transposed-k2"]
    assert found["psnr_high_db"] - found["psnr_low_db"] > 1
    assert found["difference_low_db"] < 0.5 < found["difference_high_db"]
    assert found["difference_high_db"] - found["difference_low_db"] < 0.1


def test_an_interval_is_the_t_interval_of_the_textbook() -> None:
    mean, low, high = statistics.interval(np.array([1.0, 2.0, 3.0]))
    assert (mean, low, high) == pytest.approx((2.0, 2 - 4.302653 / np.sqrt(3), 2 + 4.302653 / np.sqrt(3)))
    assert np.isnan(statistics.interval(np.array([1.0]))[1])


def test_with_two_seeds_nothing_is_told_apart() -> None:
    table = frame(rows({"a": 0.0, "b": 5.0}))
    assert set(statistics.summary(table[table["seed"] < 2])["place"]) == {1}


def test_a_collapsed_training_is_counted_and_enters_no_mean() -> None:
    table = frame(rows(LAYERS))
    table.loc[(table["layer"] == "transposed-k2") & (table["seed"] == 4), ["collapsed", "psnr_db"]] = ["dead", 12.0]
    found = statistics.summary(table).set_index("layer").loc["transposed-k2"]
    assert found["collapsed"] == 1 and found["seeds"] == 4 and found["psnr_db"] > 25


@pytest.mark.parametrize(
    "row, told", [({"own_levels": 0.4}, "next to nothing"), ({"own_levels": 6.0}, ""), ({"collapsed": "NaN"}, "NaN")]
)
def test_a_network_that_adds_less_than_a_level_has_collapsed(row: dict[str, Any], told: str) -> None:
    assert told in statistics.collapse(row) and bool(statistics.collapse(row)) == bool(told)


def test_the_reference_stands_in_every_table_of_equal_cost() -> None:
    table = frame(rows(LAYERS), rows({"transposed-k2": 0.7}, fairness="matched-macs"))
    matched = statistics.summary(table).query("fairness == 'matched-macs'").set_index("layer")
    assert set(matched.index) == {"nearest+conv3", "transposed-k2"}
    assert matched.loc["transposed-k2", "difference_db"] == pytest.approx(0.7, abs=0.05)


def test_the_claim_is_judged_on_both_of_its_halves() -> None:
    verdict, evidence = layers_claim.claim(frame(rows(LAYERS)))
    assert verdict == "depends" and "`transposed-k4` +0.50 dB" in evidence and "0.80x" in evidence
    slower = frame(rows(LAYERS))
    slower["infer_ratio"] = np.where(slower["layer"].str.startswith("transposed"), 1.5, 1.0)
    assert layers_claim.claim(slower)[0] == "holds"
    assert layers_claim.claim(frame(rows({"nearest+conv3": 0.0})))[0] == "not measured"
    assert layers_claim.claim(pd.DataFrame())[0] == "not measured"


def test_the_section_begins_with_what_the_initialisation_does_and_draws_its_figure(tmp_path: Path) -> None:
    other = rows({"nearest+conv3": 0.0, "transposed-k2": -3.0}, initialisation="default")
    frame(rows(LAYERS), other).to_csv(tmp_path / "layers.csv", index=False)
    text = markdown.write(layers_page.blocks(tmp_path))
    first = text.split("\n\n")[1]
    assert (
        first.startswith("- **Initialisation** (autoencoder)")
        and "(`transposed-k2`, over 5 seed(s))" in first
        and "by up to -3.49 dB" in first
    )
    assert "It decides." in first
    assert "not told apart at the top: `transposed-k" in text and "default start" in text
    assert "figures/layers-dark.png" in text


def test_a_folder_without_layers_has_no_section(tmp_path: Path) -> None:
    assert layers_page.blocks(tmp_path) == []


def test_the_report_has_the_section_and_the_claim_beside_the_lone_layers(tmp_path: Path) -> None:
    frame(rows(LAYERS)).to_csv(tmp_path / "layers.csv", index=False)
    run = read(tmp_path)
    said = markdown.write(layers.section(Report(run=run)))
    assert "The upsampling layer inside a network" in said and "transposed-k2" in said and "layers.md" in said
    claim = claims.check(run)[1]
    assert claim.verdict == "depends" and "Inside a trained network" in claim.evidence
