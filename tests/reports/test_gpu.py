"""A CUDA cell's raw figures in the report: the cold time is the headline, the bound is told, throttling is counted."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from upbench.reports import frame, gpu, markdown, page, sweep

AXES = {"scale": 2, "workload": "big", "device": "cuda", "dtype": "float32", "memory_format": "contiguous"}
AXES |= {"mode": "eager", "step": "forward", "threads": 1, "megapixels": 64.0, "conversion_seconds": 0.0}
COOL = {"sm_mhz": 1980, "celsius": 50, "watts": 400.0, "throttled": []}
HELD = {"sm_mhz": 1500, "celsius": 83, "watts": 700.0, "throttled": ["power cap"]}


def benchmark(method: str = "bicubic", *, cold: float = 4e-4, enqueue: float = 1e-5, **fields: Any) -> dict[str, Any]:
    looks = fields.pop("looks", [COOL] * 6)
    cuda = {
        "enqueue_seconds": [enqueue] * 3,
        "latency_seconds": [cold + enqueue] * 3,
        "hot": {"seconds": [cold / 2] * 3, "how": "graph", "watched": looks[:3]},
        "cold": {"seconds": [cold, cold, 9 * cold], "how": fields.pop("how", "graph"), "watched": looks[3:]},
        "cold_by": "rotation over 3 buffers",
        "peak_bytes": 800 << 20,
        "telemetry_reason": fields.pop("no_telemetry", ""),
    }
    if "gradients" in fields:
        vary, refused = fields.pop("gradients")
        cuda["gradients"] = {"vary": vary, "refused": refused}
    extra = AXES | {"method": method, "bytes": 10**9, "shape": [64, 3, 512, 512], "cell": "c", "cuda": cuda} | fields
    return {"stats": {"data": [1.0]}, "extra_info": extra}


def yardstick(method: str, moved: int, seconds: float) -> dict[str, Any]:
    return benchmark(method, cold=seconds, workload="beyond-cache", scale=1, bytes=moved)


def told(cells: pd.DataFrame) -> str:
    return markdown.write(gpu.words(cells))


def rows(*benchmarks: dict[str, Any]) -> pd.DataFrame:
    return frame.speed_frame({"benchmarks": list(benchmarks)})


def test_cold_device_time_is_the_cells_time() -> None:
    row = rows(benchmark(cold=4e-4)).iloc[0]
    assert row["seconds"] == pytest.approx(4e-4)
    assert row["hot_seconds"] == pytest.approx(2e-4)
    assert row["loop_seconds"] == 1.0


@pytest.mark.parametrize(
    "enqueue, how, bound", [(1e-5, "graph", "device"), (5e-4, "graph", "launch"), (5e-4, "gaps", "waits")]
)
def test_what_bounds_a_cell(enqueue: float, how: str, bound: str) -> None:
    assert rows(benchmark(cold=4e-4, enqueue=enqueue, how=how)).iloc[0]["bound"] == bound


def test_throttled_looks_are_counted_and_their_times_kept() -> None:
    row = rows(benchmark(looks=[COOL, HELD, COOL, HELD, COOL, COOL])).iloc[0]
    assert row["throttled"] == "2 of 6: power cap"
    assert (row["sm_mhz"], row["celsius"]) == (1980, 83)
    assert row["blocks"] == 3


def test_without_telemetry_the_page_says_why() -> None:
    text = told(rows(benchmark(looks=[None] * 6, no_telemetry="needs nvidia-ml-py")))
    assert "not watched: needs nvidia-ml-py" in text


def test_gradients_that_are_not_deterministic_are_marked_and_named() -> None:
    train = {"step": "train"}
    found = rows(
        benchmark("a", gradients=(True, True), **train),
        benchmark("b", gradients=(True, False), **train),
        benchmark("c", gradients=(False, False), **train),
        benchmark("d"),
    )
    assert list(found["gradients"]) == ["vary, refused", "vary", "repeat", ""]
    assert "Not deterministic here: `a`, `b`." in told(found)
    assert "Gradients" not in told(rows(benchmark("d")))


def test_the_spread_of_repetitions_counts_device_bound_cells_only() -> None:
    steady, launch, wide = benchmark("a"), benchmark("b", enqueue=1.0), benchmark("c")
    steady["extra_info"]["cuda"]["cold"]["seconds"] = [1e-3] * 3
    wide["extra_info"]["cuda"]["cold"]["seconds"] = [1.0, 1.02, 1.04]
    assert "the 2 device-bound cells" in told(rows(steady, launch, wide))
    assert "the widest is `c` on big, 1.96%" in told(rows(steady, launch, wide))


def test_the_share_of_light_is_the_least_time_of_its_bytes_over_its_time() -> None:
    found = rows(benchmark(cold=5e-4), yardstick("copy", 4 * 10**9, 1e-3), yardstick("write", 2 * 10**9, 1e-3))
    row = found.set_index("method").loc["bicubic"]
    assert row["light_share"] == pytest.approx(1e9 / 4e12 / 5e-4)
    kept = frame.without_yardsticks(found)
    assert list(kept["method"]) == ["bicubic"]
    speeds = frame.bandwidth(found).iloc[0]
    assert (speeds["copy"], speeds["write"]) == pytest.approx((4e12, 2e12))


def test_other_threads_have_a_bandwidth_of_their_own() -> None:
    one, two = yardstick("copy", 10**9, 1e-3), yardstick("copy", 10**9, 5e-4)
    two["extra_info"]["threads"] = 2
    found = rows(benchmark("a"), benchmark("b", threads=2), one, two).set_index("method")
    assert found.loc["a", "light_share"] == pytest.approx(2 * found.loc["b", "light_share"])


def test_a_run_without_yardsticks_has_no_share_and_no_guess() -> None:
    assert rows(benchmark())["light_share"].isna().all()


def swept(batch: int, **fields: Any) -> dict[str, Any]:
    return benchmark(shape=[batch, 3, 256, 256], workload=f"{batch}x3x256x256", **fields)


@pytest.mark.parametrize(
    "bounds, start",
    [(("launch", "device", "device"), 4), (("device", "launch", "device"), 16), (("device",) * 3, 1)],
)
def test_device_bound_from_is_the_batch_from_which_on_all_are(bounds: tuple[str, ...], start: int) -> None:
    cells = pd.DataFrame({"batch": [1, 4, 16], "bound": bounds})
    assert sweep.device_bound_from(cells) == start
    assert sweep.device_bound_from(cells.assign(bound=[*bounds[:2], "launch"])) is None


def test_the_page_of_a_gpu_run(tmp_path: Path) -> None:
    document = {"benchmarks": [benchmark(looks=[HELD] * 6), yardstick("copy", 4 * 10**9, 1e-3)], "cells": []}
    document["benchmarks"].append(yardstick("write", 2 * 10**9, 1e-3))
    (tmp_path / "speed.json").write_text(json.dumps(document))
    batches = [swept(1, enqueue=1e-3), swept(4), swept(16)]
    (tmp_path / "sweep.json").write_text(json.dumps({"benchmarks": batches, "cells": []}))
    check = {"what": "spin", "unit": "s", "expected": 1e-4, "measured": 1e-4, "error": 0.001, "spread": 0.0}
    check |= {"limit": 0.02, "verdict": "ok", "reason": ""}
    (tmp_path / "selfcheck.json").write_text(json.dumps({"checks": [check]}))
    text = page.write(frame.read(tmp_path)).read_text()
    assert "## On the GPU" in text
    assert "6 of 6: power cap" in text
    assert "4,000 GB/s" in text
    assert "beyond-cache" not in text
    assert "| from 4 |" in text
    assert "figures/scaling-light.png" in text
    assert (tmp_path / "figures" / "scaling-dark.png").stat().st_size > 1000
    assert "+0.10%" in text
