"""A fleet of three nodes of two kinds (CPU A: one, CPU B: two), each with two processors."""

import json
import os
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

ADAPTERS = """
import ctypes, time
import torch.nn.functional as F

def crash(scale, device, dtype):
    return lambda low: ctypes.string_at(0)

def hang(scale, device, dtype):
    return lambda low: time.sleep(10**6)
"""
LONG = ("--workloads", "image", "--seconds", "2", "--methods", "nearest", "bilinear", "bicubic", "area")
SPEED = ("speed", "--workloads", "single", "--seconds", "0.05")


def own(folder: Path) -> list[str]:
    (folder / "own.py").write_text(ADAPTERS)
    return [word for name in ("crash", "hang") for word in ("--method", f"{folder / 'own.py'}:{name}")]


def cells(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "speed.json").read_text())["cells"]
    return found


def record(fleet: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((fleet.out / "fleet.json").read_text())
    return found


def test_two_kinds_six_cells_a_crash_and_a_hang_make_twelve_rows(fleet: Any, tmp_path: Path) -> None:
    code = fleet.run(*SPEED, "--time-limit", "8", "--methods", "nearest", *own(tmp_path))
    assert code == 3, fleet.said()
    kinds = fleet.kinds()
    assert set(kinds) == {"A", "B"}
    rows = [(kind, row) for kind, folder in kinds.items() for row in cells(folder)]
    assert len(rows) == 12
    assert Counter(row["status"] for _, row in rows) == {"ok": 8, "failed": 4}
    reasons = {row["cell"].split("/")[0]: row["reason"] for _, row in rows if row["status"] == "failed"}
    assert "signal 11" in reasons["crash"]
    assert "8 s" in reasons["hang"]
    moments = [each for each in record(fleet)["moments"] if not each["work"].startswith("probe")]
    assert {each["niceness"] for each in moments} == {0}
    assert not list(fleet.out.glob("*.journal"))


def test_a_daemon_killed_during_speed_costs_no_cell(fleet: Any, tmp_path: Path) -> None:
    driver = fleet.start(*SPEED, *LONG)
    journal = fleet.wait(lambda: list(fleet.out.glob("cpu-b*/speed.journal")))[0]
    fleet.wait(lambda: journal.read_bytes().count(b"\n") > 2)
    fleet.nodes.kill("127.0.0.2")
    assert driver.wait(timeout=200) == 0, fleet.said()
    for folder in fleet.kinds().values():
        rows = cells(folder)
        assert len({row["cell"] for row in rows}) == len(rows) == 7
        assert {row["status"] for row in rows} == {"ok"}
    b = next(row for row in record(fleet)["work"] if row["kind"].startswith("cpu-b"))
    assert b["nodes"] == ["127.0.0.2", "127.0.0.3"]


QUALITY = ("quality", "--dataset", "photos", "--methods", "bicubic", "lanczos3", "spline5", "scipy-3", "--per-image")


def test_a_daemon_killed_during_quality_changes_no_bit(fleet: Any, tmp_path: Path, process: Any) -> None:
    driver = fleet.start(*QUALITY)
    fleet.wait(lambda: "parts over 3 nodes" in fleet.said())
    fleet.wait(lambda: any("fleet.served" in line for line in fleet.nodes.lines("127.0.0.3")))
    fleet.nodes.kill("127.0.0.3")
    assert driver.wait(timeout=200) == 0, fleet.said()
    assert process(*QUALITY, "--out", tmp_path / "alone").returncode == 0
    for name in ("quality.csv", "quality-per-image.csv", "quality.json", "samples.npz"):
        assert (fleet.out / name).read_bytes() == (tmp_path / "alone" / name).read_bytes(), name
    one, other = (pd.read_csv(folder / "comparisons.csv") for folder in (fleet.out, tmp_path / "alone"))
    pd.testing.assert_frame_equal(one, other)  # a bootstrap's last digit depends on the threads of its matrix product
    assert "node 127.0.0.3 died" in fleet.said()
    assert len(pd.read_csv(fleet.out / "quality-per-image.csv")) == 4 * 1201


def test_a_frozen_node_ends_by_the_drivers_own_deadline(fleet: Any, tmp_path: Path) -> None:
    try:
        driver = fleet.start("--silence", "8", *SPEED, "--seconds", "0.5", "--methods", "nearest", "bilinear")
        journal = fleet.wait(lambda: list(fleet.out.glob("cpu-b*/speed.journal")))[0]
        fleet.wait(lambda: journal.read_bytes().count(b"\n") > 1)
        frozen = time.monotonic()
        fleet.nodes.freeze("127.0.0.2")
        assert driver.wait(timeout=120) == 0, fleet.said()
        assert "was silent for 8 s" in fleet.said()
        assert time.monotonic() - frozen < 90
        assert all(row["status"] == "ok" for folder in fleet.kinds().values() for row in cells(folder))
    finally:
        fleet.nodes.end("127.0.0.2")


def test_the_only_node_of_a_kind_leaves_rows_with_the_reason(fleet: Any) -> None:
    fleet.nodes.end("127.0.0.3")
    driver = fleet.start(*SPEED, *LONG)
    journal = fleet.wait(lambda: list(fleet.out.glob("cpu-b*/speed.journal")))[0]
    fleet.wait(lambda: journal.read_bytes().count(b"\n") > 2)
    fleet.nodes.kill("127.0.0.2")
    assert driver.wait(timeout=200) == 3, fleet.said()
    rows = cells(fleet.kinds()["B"])
    assert len({row["cell"] for row in rows}) == len(rows) == 7
    assert {row["reason"] for row in rows if row["status"] == "failed"} == {"its node 127.0.0.2 died"}
    assert any(row["status"] == "ok" for row in rows)
    fleet.nodes.revive()
    assert fleet.run(*SPEED, *LONG) == 0
    assert "measured by the run before" in fleet.said()
    assert {row["status"] for row in cells(fleet.kinds()["B"])} == {"ok"}


@pytest.mark.parametrize(
    "how, codes",
    [(signal.SIGKILL, {-9}), (signal.SIGINT, {130}), (signal.SIGTERM, {143, 130})],  # inside Ray it loses its number
)
def test_a_driver_that_ends_leaves_nothing_and_the_next_goes_on(fleet: Any, how: int, codes: set[int]) -> None:
    asked = (*SPEED, *LONG)
    driver = fleet.start(*asked)
    journal = fleet.wait(lambda: list(fleet.out.glob("cpu-a*/speed.journal")))[0]
    fleet.wait(lambda: journal.read_bytes().count(b"\n") > 2)
    os.kill(driver.pid, how)
    assert driver.wait(timeout=60) in codes
    fleet.wait(lambda: not fleet.left(), seconds=30)
    before = journal.read_bytes().splitlines()[1:]
    assert fleet.run(*asked) == 0, fleet.said()
    entries = {
        entry["extra_info"]["cell"]: entry["stats"]["data"]
        for entry in json.loads((journal.parent / "speed.json").read_text())["benchmarks"]
    }
    kept = [entries[row["cell"]] == row["benchmark"]["stats"]["data"] for row in map(json.loads, before)]
    assert kept and (all(kept) or "were measured on a crowded machine" in fleet.said())


def test_a_taken_node_takes_no_other_task(fleet: Any) -> None:
    driver = fleet.start(*SPEED, "--seconds", "0.5", "--methods", "nearest", "bilinear")
    fleet.wait(lambda: list(fleet.out.glob("cpu-a*/speed.journal")))
    began = _one_processor_task("127.0.0.1")
    assert driver.wait(timeout=120) == 0, fleet.said()
    ended = max(each["time"] for each in record(fleet)["moments"] if each["node"] == "127.0.0.1")
    assert began() > ended - 0.5


def _one_processor_task(address: str) -> Any:
    """Ask for one processor of a node; the function waits and tells when it was given."""
    import subprocess
    import sys

    program = f"""
import ray, time
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as Where
ray.init(address="127.0.0.1:6399", log_to_driver=False, logging_level="ERROR")
(node,) = [n["NodeID"] for n in ray.nodes() if n["Alive"] and n["NodeManagerAddress"] == {address!r}]
now = ray.remote(lambda: time.time()).options(num_cpus=1, scheduling_strategy=Where(node, soft=False))
print(ray.get(now.remote()))
"""
    asking = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    return lambda: float(asking.communicate(timeout=120)[0])
