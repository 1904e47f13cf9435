"""Cells in processes of their own: forks of pytest's, which has imported torch and never called it.

A cell that hangs or crashes costs itself alone. Cells of one module that follow each other share a process, as methods
of one module share their state anyway; those of another, and whatever comes after a failure, find what the first one
found. On Linux, on the CPU, and for `upbench speed` only: a CUDA context cannot be forked, and a bare pytest run
needs the figures in its own process.
"""

import functools
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from contextlib import suppress
from select import select as ready
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from upbench.bench.adapters import Adapter, discover, select
from upbench.bench.cells import Cell
from upbench.bench.speed.suite import journal
from upbench.bench.speed.suite.request import cell_parameters, current
from upbench.bench.workers import ahead, limits, warden

LOOK_SECONDS = 1.0  # how often a process is looked at that something else keeps from telling its end
LONGEST = 2000  # characters of a failure that go through the pipe at once

forked = False  # whether this is a cell's process


@functools.lru_cache(maxsize=1)
def wanted() -> bool:
    """Whether cells get processes of their own here."""
    return (
        sys.platform == "linux"
        and current().journal is not None
        and all(cell.device == "cpu" for cell in cell_parameters())
    )


def guard() -> None:
    """Be the one who takes what cells leave behind; and have ready what torch would import in each of them."""
    warden.guard(os.getppid())
    ahead.bring(ahead.needed(cell_parameters()))


def only_in(own: int) -> None:
    """End here unless this is the process with that number: what an adapter forked records nothing."""
    if os.getpid() != own:
        os._exit(0)


class Process:
    """A forked process that measures cells, one after the other."""

    def __init__(self, items: list[pytest.Item], module: str) -> None:
        """Fork; the cells will be those of a module."""
        self.module = module
        self.folder = tempfile.mkdtemp(prefix="upbench-", dir=os.environ.get(warden.FOLDER))
        asked, self.asking = os.pipe()
        self.said, saying = os.pipe()
        if not (pid := os.fork()):
            os.close(self.asking)
            os.close(self.said)
            _serve(items, asked, saying, self.folder)
        self.pid = pid
        os.close(asked)
        os.close(saying)

    def measure(self, index: int, limit: float) -> tuple[dict[str, Any], str]:
        """What it tells of the cell with that index, or how it ended without a word."""
        with suppress(BrokenPipeError):  # it has ended meanwhile, and its end is the answer
            os.write(self.asking, f"{index}\n".encode())
        return _wait(self.pid, self.said, limit)

    def end(self) -> None:
        """End it, and whatever it started."""
        warden.sweep()
        os.close(self.asking)
        os.close(self.said)
        shutil.rmtree(self.folder, ignore_errors=True)


class Processes:
    """One process at a time, renewed for another module and after a failure."""

    def __init__(self) -> None:
        """None is forked yet."""
        self.process: Process | None = None

    def run(self, item: pytest.Item) -> pytest.TestReport:
        """Measure one cell; where its process does not tell how it ended, the reason is recorded here."""
        cell = Cell.parse(item.callspec.params["name"])  # type: ignore[attr-defined]
        module = _module(cell.method)
        if self.process is None or self.process.module != module:
            self.end()
            self.process = Process(item.session.items, module)
        said, ended = self.process.measure(item.session.items.index(item), current().limit)
        if not said:
            journal.record(cell, status="failed", reason=ended)
            said = {"outcome": "failed", "reason": ended, "duration": 0.0}
        if said["outcome"] == "failed":
            self.end()
        outcome, reason = said["outcome"], said["reason"] or None
        return pytest.TestReport(item.nodeid, item.location, {}, outcome, reason, "call", duration=said["duration"])

    def end(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.end()
            self.process = None


def _module(method: str) -> str:
    """Where a method comes from; the yardsticks are ours."""
    adapter = adapters().get(method)
    return adapter.module if adapter else ""


@functools.lru_cache(maxsize=1)
def adapters() -> dict[str, Adapter]:
    """The adapters of all cells by name; nothing of theirs is imported."""
    wanted = {cell.method for cell in cell_parameters()}
    from_files = {adapter.name: adapter for adapter in select([], current().specs)}
    named = [name for name in wanted if name not in from_files and name.partition("@")[0] in discover()]
    return {adapter.name: adapter for adapter in select(named)} | from_files


def _serve(items: list[pytest.Item], asked: int, saying: int, folder: str) -> None:
    """The forked side: measure what is asked and tell the outcomes, until it is ended."""
    global forked
    forked = True
    warden.follow()
    os.setsid()  # Ctrl-C is for pytest
    os.chdir(folder)
    limits.apply(None, "cpu")
    own = os.getpid()
    for line in os.fdopen(asked):
        reports = runtestprotocol(items[int(line)], log=False, nextitem=None)
        only_in(own)
        worst = next((report for report in reports if not report.passed), reports[-1])
        duration = sum(report.duration for report in reports)
        said = {"outcome": worst.outcome, "reason": worst.longreprtext[:LONGEST], "duration": duration}
        os.write(saying, json.dumps(said).encode())
    os._exit(0)


def _wait(pid: int, reading: int, limit: float) -> tuple[dict[str, Any], str]:
    """What the process told, or how it ended without a word."""
    end = time.monotonic() + limit
    while (left := end - time.monotonic()) > 0:
        if ready([reading], [], [], min(left, LOOK_SECONDS))[0]:
            said = os.read(reading, 2**20)
            return (json.loads(said), "") if said else ({}, _reason(os.waitpid(pid, 0)[1]))
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return {}, _reason(status)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return {}, f"it was not done in {limit:g} s"


def _reason(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"the process died ({f'signal {-code}' if code < 0 else f'exit code {code}'})"
