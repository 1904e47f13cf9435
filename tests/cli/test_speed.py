"""`upbench speed` goes on where it was stopped, and stops its suite with itself."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HELD = """
import pathlib, time
pathlib.Path(__file__).with_name("suite").write_text(str(__import__("os").getpid()))
hold = pathlib.Path(__file__).with_name("hold")
def up(low):
    while hold.exists():
        time.sleep(0.02)
    return F.interpolate(low, scale_factor=scale)
return up
"""


def lines(journal: Path) -> list[str]:
    return journal.read_text().splitlines() if journal.is_file() else []


def wait_until(true: Callable[[], bool]) -> None:
    for _ in range(1200):
        if true():
            return
        time.sleep(0.1)
    raise AssertionError("it never came so far")


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def killed(
    adapter_file: Callable[..., str], environment: dict[str, str], tmp_path: Path
) -> Iterator[tuple[list[str], Path, list[str]]]:
    """A run that was killed while its third method ran: its options, its folder, and its journal then."""
    spec, out = adapter_file("held", HELD), tmp_path / "out"
    options = ["speed", "--methods", "nearest", "--method", spec, "--workloads", "single", "--seconds", "0.02"]
    options += ["--out", str(out)]
    (tmp_path / "hold").touch()
    process = subprocess.Popen(
        [sys.executable, "-m", "upbench.bench.cli.main", *options],
        env=environment,
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: len(lines(out / "speed.journal")) >= 3 or process.poll() is not None)
        wait_until((tmp_path / "suite").is_file)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        (tmp_path / "hold").unlink()
    yield options, out, lines(out / "speed.journal")


@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="processes are looked up in /proc")
def test_a_killed_run_keeps_its_cells_and_its_suite_ends(
    killed: tuple[list[str], Path, list[str]], upbench: Callable, tmp_path: Path
) -> None:
    options, out, journal = killed
    assert len(journal) == 3, "the request, the copy and nearest"
    assert not (out / "speed.json").exists()
    suite = int((tmp_path / "suite").read_text())
    wait_until(lambda: not alive(suite))
    measured = {row["cell"]: row["benchmark"]["stats"]["data"] for row in map(json.loads, journal[1:])}
    assert upbench(*options).code == 0
    document = json.loads((out / "speed.json").read_text())
    found = {entry["extra_info"]["cell"]: entry["stats"]["data"] for entry in document["benchmarks"]}
    assert [name.partition("/")[0] for name in found] == ["copy", "nearest", "held", "copy", "write"]
    assert measured.items() <= found.items(), "what was measured before the kill was measured again"
    assert not (out / "speed.journal").exists()


@pytest.mark.parametrize(("options", "held"), [((), True), (("--allocator", "plain"), False)])
def test_memory_is_held_still_or_plain_as_asked(upbench, tmp_path, monkeypatch, options, held):
    monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)
    small = ("--methods", "nearest", "--workloads", "single", "--seconds", 0.01, "--out", tmp_path)
    assert upbench("speed", *small, *options).code == 0
    document = json.loads((tmp_path / "speed.json").read_text())
    assert ("MALLOC_TRIM_THRESHOLD_" in document["machine_info"]["upbench"]["allocator"]) is held
