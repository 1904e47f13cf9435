"""Comparisons killed at random moments, and what they left behind."""

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from upbench.bench.gate.request import DuetRequest
from upbench.bench.stage import Progress
from upbench.bench.store import write_json

KILL_SECONDS = 45.0
PROGRAM = """
import json, sys
from pathlib import Path
from upbench.bench.gate import stage
from upbench.bench.gate.request import DuetRequest
from upbench.bench.stage import Silent
stage.run(DuetRequest.from_json(json.loads(sys.argv[1])), Path(sys.argv[2]), Silent())
"""


def kill_often(request: DuetRequest, out: Path, times: int, progress: Progress) -> None:
    """Start one comparison again and again, and end each start with SIGKILL at a random moment."""
    command = [sys.executable, "-c", PROGRAM, json.dumps(request.to_json()), str(out)]
    out.mkdir(parents=True, exist_ok=True)
    journal = out / "versions.journal"
    for number in range(1, times + 1):
        result = out / f"kill-{number:02d}.json"
        if result.is_file():
            continue
        before = len(list(_rows(journal)))
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        moment = random.uniform(1, KILL_SECONDS)
        try:
            process.wait(timeout=moment)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        write_json(result, {"after_seconds": moment, **_inspect(out, journal, before, process)})
        progress.say(f"kill {number}: {result.read_text()}")


def _inspect(out: Path, journal: Path, before: int, process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    """What the killed run left behind: workers, unreadable files, fewer rows than were there before."""
    time.sleep(1)
    finished = process.returncode >= 0
    after = len(list(_rows(journal)))
    return {
        "finished": finished,
        "left_alive": _workers_of(process.pid),
        "unreadable": [path.name for path in out.glob("*.json") if not _readable(path)],
        "rows": after,
        "lost_rows": 0 if finished else max(0, before - after),
    }


def _rows(journal: Path) -> Iterator[Any]:
    """The journal's whole lines."""
    if journal.is_file():
        for line in journal.read_text(encoding="utf-8").splitlines(keepends=True):
            if line.endswith("\n"):
                yield json.loads(line)


def _readable(path: Path) -> bool:
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return True


def _workers_of(parent: int) -> list[int]:
    """Live workers that were started by that process: its number is their last argument."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue  # it ended meanwhile
        if b"upbench.bench.workers.serve" in words and str(parent).encode() in words:
            found.append(int(path.parent.name))
    return found
