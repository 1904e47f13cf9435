"""Files in, tables out: summaries are made from the raw samples, on reading."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from upbench.reports import frame


def document(samples: dict[str, list[float]]) -> dict[str, object]:
    axes = {"scale": 2, "workload": "image", "device": "cpu", "dtype": "float32", "memory_format": "contiguous"}
    axes |= {"mode": "eager", "step": "forward", "threads": 1, "megapixels": 0.25, "conversion_seconds": 0.0}
    return {
        "benchmarks": [
            {"stats": {"data": data}, "extra_info": axes | {"method": method}} for method, data in samples.items()
        ]
    }


def test_time_and_spread_are_the_median_and_the_quartiles_of_the_raw_samples() -> None:
    data = [5e-3, 1e-3, 2e-3, 4e-3, 3e-3]
    row = frame.speed_frame(document({"nearest": data})).iloc[0]
    assert row["seconds"] == pytest.approx(3e-3)
    assert row["spread"] == pytest.approx((4e-3 - 2e-3) / 3e-3)
    assert row["blocks"] == 5
    assert row["megapixels_per_second"] == pytest.approx(0.25 / 3e-3)


def test_one_slow_sample_does_not_move_the_time() -> None:
    steady, disturbed = ([1e-3] * 8 + [last] for last in (1e-3, 10.0))
    frames = frame.speed_frame(document({"a": steady, "b": disturbed}))
    assert frames.loc[0, "seconds"] == frames.loc[1, "seconds"]


def test_the_copys_share_is_the_copys_time_over_the_methods() -> None:
    found = frame.speed_frame(document({"copy": [1e-3], "nearest": [2e-3], "bicubic": [1e-2]})).set_index("method")
    assert found["copy_share"].to_dict() == pytest.approx({"copy": 1.0, "nearest": 0.5, "bicubic": 0.1})


def test_without_a_copy_there_is_no_share_and_no_guess() -> None:
    assert frame.speed_frame(document({"nearest": [2e-3]}))["copy_share"].isna().all()


def test_a_stage_that_has_not_run_is_empty(tmp_path: Path) -> None:
    (tmp_path / "speed.json").write_text(json.dumps(document({"nearest": [1e-3]})))
    run = frame.read(tmp_path)
    assert run.quality.empty
    assert len(run.speed) == 1


def test_an_empty_folder_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(frame.ReportError, match="run `upbench bench` first"):
        frame.read(tmp_path)


def test_pickled_samples_are_not_unpickled(tmp_path: Path) -> None:
    (tmp_path / "speed.json").write_text(json.dumps(document({"nearest": [1e-3]})))
    with (tmp_path / "samples.npz").open("wb") as file:
        np.savez(file, high=np.array([{"an": "object"}], dtype=object))
    with pytest.raises(frame.ReportError, match=r"samples\.npz is damaged"):
        frame.read(tmp_path)


def test_reading_changes_no_file(planted: Callable, tmp_path: Path) -> None:
    planted(psnr={"nearest": 24.0}, times={"image": {"nearest": 1e-3}})
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    frame.read(tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_method_called_none_or_nan_is_still_a_name(planted: Callable) -> None:
    run = planted(psnr={"nan": 24.0, "None": 25.0, "NA": 26.0})
    assert list(run.quality["method"]) == ["nan", "None", "NA"]
