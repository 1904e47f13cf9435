"""`upbench bench` killed at random moments: nothing measured is lost, no file is half-written, nobody is left behind.

Six kills here; `UPBENCH_KILLS=200 pytest tests/jobs/test_kills.py` is the long form.
"""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

KILLS = int(os.environ.get("UPBENCH_KILLS", "6"))
LONGEST = 14.0  # seconds; about what the whole job takes
JOB = [
    *("bench", "--dataset", "photos", "--limit", "40", "--methods", "nearest", "bicubic", "lanczos3", "scipy-1"),
    *("--degradations", "bicubic", "area", "--workloads", "single", "1x3x24x20", "--seconds", "0.02"),
    *("--front-budget", "2s"),
]
pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="processes are looked up in /proc")


def start(out: Path, environment: dict[str, str], mark: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "upbench.bench.cli.main", *JOB, "--out", str(out)],
        env=environment | {"UPBENCH_MARK": mark},
        cwd=out.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def left_behind(mark: str) -> list[str]:
    """The command lines of processes that have our mark in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if f"UPBENCH_MARK={mark}".encode() in (path / "environ").read_bytes():
                found.append((path / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue  # it ended meanwhile
    return found


def rows(out: Path) -> dict[str, int]:
    """How many whole lines each journal has; a finished stage's journal is gone."""
    return {path.name: path.read_bytes().count(b"\n") for path in out.glob("*.journal")}


def unreadable(out: Path) -> list[str]:
    """Finished files that cannot be read, and anything half-written under a finished file's name."""
    bad = []
    for path in out.rglob("[!.]*"):
        try:
            if path.suffix == ".json":
                json.loads(path.read_text())
            elif path.suffix == ".csv":
                pd.read_csv(path)
            elif path.suffix == ".png":
                Image.open(path).load()
        except (ValueError, OSError) as error:
            bad.append(f"{path.name}: {error}")
    return bad


def test_kills_at_random_moments_lose_nothing(tmp_path: Path, environment: dict[str, str]) -> None:
    out, generator = tmp_path / "killed", random.Random(0)
    for number in range(KILLS):
        before = rows(out)
        mark = f"{os.getpid()}-{number}"
        process = start(out, environment, mark)
        try:
            process.wait(timeout=generator.uniform(0.1, LONGEST))
        except subprocess.TimeoutExpired:
            process.kill()
        process.wait()
        end = time.monotonic() + 2
        while left_behind(mark) and time.monotonic() < end:
            time.sleep(0.05)
        assert left_behind(mark) == []
        assert unreadable(out) == []
        after = rows(out)
        lost = {name: (count, after[name]) for name, count in before.items() if after.get(name, count) < count}
        assert lost == {}
    for folder in (out, tmp_path / "whole"):
        process = start(folder, environment, "end")
        assert process.wait() == 0
    killed, whole = ((folder / "quality.csv").read_text() for folder in (out, tmp_path / "whole"))
    assert killed == whole
    cells = [json.loads((folder / "speed.json").read_text())["cells"] for folder in (out, tmp_path / "whole")]
    assert cells[0] == cells[1]
