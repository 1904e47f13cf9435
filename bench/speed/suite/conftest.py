"""Hooks of the speed suite: the host goes into pytest-benchmark's record, a bar shows how far it is, and each cell has
a process of its own where that can be.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from tqdm import tqdm

from upbench.bench import host
from upbench.bench.speed.suite import apart
from upbench.bench.speed.suite.request import cell_parameters, current

processes = apart.Processes()


def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    """Have a cell measured in a process apart."""
    if not apart.wanted():
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    item.ihook.pytest_runtest_logreport(report=processes.run(item))
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Write pytest-benchmark's document, which without a benchmark in this process it would not; ours has the rows.

    Before its own hook, which would warn that there is nothing to save.
    """
    processes.end()
    benchmarks = getattr(session.config, "_benchmarksession", None)
    if apart.wanted() and benchmarks is not None and benchmarks.json:
        about = {"machine_info": benchmarks.get_machine_info(), "commit_info": {}}
        hook = session.config.hook.pytest_benchmark_generate_json
        benchmarks.save_json(hook(config=session.config, benchmarks=[], include_data=True, **about))
        benchmarks.json = None
    yield


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    """Put the host's fingerprint beside pytest-benchmark's own machine information."""
    torch.set_num_threads(cell_parameters()[-1].threads)
    machine_info["upbench"] = host.fingerprint()


class _Progress:
    """One step of the bar for each cell, on standard error; ends the run when `upbench speed` is gone."""

    def __init__(self, total: int, stage: str) -> None:
        self.parent = os.getppid()
        self.bar = tqdm(total=total, desc=stage, unit="cell", file=sys.stderr, mininterval=0.5)

    def pytest_runtest_logstart(self, nodeid: str, location: Any) -> None:
        if os.getppid() != self.parent:
            pytest.exit("the command that asked for this run is gone")

    def pytest_runtest_logfinish(self, nodeid: str, location: Any) -> None:
        self.bar.update()

    def pytest_sessionfinish(self) -> None:
        self.bar.close()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Take what cells leave behind, and start the bar, when `upbench speed` is the one who asks.

    Not at the session's start: with `--pyargs` pytest reads this file after that.
    """
    if apart.wanted():
        apart.guard()
    journal = current().journal
    if journal and session.items:
        session.config.pluginmanager.register(_Progress(len(session.items), Path(journal).stem))
