"""The speed stage: what it measures once more, and which of two measurements counts."""

import contextlib
import os
import subprocess
import sys

import pytest

from upbench.bench.cells import Cell, plan
from upbench.bench.speed import stage
from upbench.bench.speed.request import SpeedRequest
from upbench.bench.stage import Ending, Silent
from upbench.bench.store import read_json

CALM = {"seconds": 1.0, "busy": 1.0, "stolen": 0.0, "involuntary_switches": 0.0}
CROWDED = CALM | {"busy": 0.3}


def row(cell: Cell, pressure, status="ok", data=(1.0, 1.0, 1.0)):
    extra = {"pressure": pressure}
    return {"cell": cell.name, "status": status, "benchmark": {"stats": {"data": list(data)}, "extra_info": extra}}


@pytest.fixture
def cells():
    return plan(methods=["nearest", "bilinear", "bicubic"], scales=[2], workloads=["cifar"])


def test_only_what_others_disturbed_is_measured_once_more(cells):
    assert stage.crowded_cells(cells, [row(cell, CALM, data=(1.0, 2.0, 3.0)) for cell in cells]) == []
    cheap = row(cells[1], CROWDED | {"seconds": 0.1})
    assert stage.crowded_cells(cells, [row(cells[0], CALM), cheap, row(cells[2], CALM)]) == [cells[1]]


def test_measuring_once_more_takes_a_tenth_of_the_time_at_most(cells):
    rows = [row(cell, CROWDED | {"seconds": seconds}) for cell, seconds in zip(cells, (9.0, 0.7, 0.5), strict=True)]
    assert stage.crowded_cells(cells, rows) == [cells[1]]


def test_a_cell_is_measured_twice_at_most(cells):
    rows = [row(cell, CROWDED | {"seconds": 0.01}) for cell in (*cells, *cells)]
    assert stage.crowded_cells(cells, rows) == []


def test_the_calmer_measurement_counts(cells):
    first, second = row(cells[0], CROWDED), row(cells[0], CALM)
    assert stage.best_row([first, second]) is second
    assert stage.best_row([second, first]) is second


def test_a_failure_is_not_made_good_by_another_try(cells):
    failed = {"cell": cells[0].name, "status": "failed", "reason": "it died", "benchmark": None}
    assert stage.best_row([row(cells[0], CROWDED), failed]) is failed


def test_time_that_ended_before_the_second_try_leaves_the_first(cells):
    late = {"cell": cells[0].name, "status": "skipped", "reason": "the time had ended", "benchmark": None}
    assert stage.best_row([first := row(cells[0], CROWDED), late]) is first


SPINNING = """
import os, sys, time
from pathlib import Path

parent, journal = int(sys.argv[1]), Path(sys.argv[2])
while not (journal.is_file() and len(journal.read_text().splitlines()) > 1):
    time.sleep(0.02)
while os.getppid() == parent:
    pass
"""


@contextlib.contextmanager
def crowd(journal):
    """More busy processes than a machine has cores for, each a session: the kernel shares out between sessions.

    They come when the journal has its first cell, so that imports, which are not measured, are not slowed, and go when
    what is yielded is called.
    """
    command = [sys.executable, "-c", SPINNING, str(os.getpid()), str(journal)]
    processes = [subprocess.Popen(command, start_new_session=True) for _ in range(1 + (os.cpu_count() or 1))]

    def leave():
        for process in processes:
            process.kill()
            process.wait()

    try:
        yield leave
    finally:
        leave()


class Listening(Silent):
    def __init__(self, leave):
        self.crowded, self.leave = False, leave

    def say(self, text):
        if "crowded" in text:
            self.crowded = True
            self.leave()


@pytest.mark.skipif(sys.platform != "linux", reason="cells tell how crowded it was on Linux")
def test_a_crowded_machine_is_noticed_and_every_cell_keeps_one_row(tmp_path, monkeypatch):
    monkeypatch.setattr(stage, "AGAIN", 10.0)
    request = SpeedRequest(methods=("nearest", "bilinear"), workloads=("cifar",), seconds=0.05)
    cells = [cell for cell in request.cells() if cell.workload == "cifar"]  # and no yardsticks, which take long
    with crowd(tmp_path / "speed.journal") as leave:
        progress = Listening(leave)
        assert stage.measure(request, tmp_path, cells, progress).ending is Ending.OK
    assert progress.crowded
    document = read_json(tmp_path / "speed.json")
    assert len(document["benchmarks"]) == len(document["cells"]) == len(cells) > 1
