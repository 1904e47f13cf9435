"""Hooks of the speed suite: the host goes into pytest-benchmark's record, and a bar shows how far it is."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from tqdm import tqdm

from upbench.bench import host
from upbench.bench.speed.suite.request import current


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    """Put the host's fingerprint beside pytest-benchmark's own machine information."""
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
    """Start the bar once the cells are known, when `upbench speed` is the one who asks."""
    journal = current().journal
    if journal and session.items:
        session.config.pluginmanager.register(_Progress(len(session.items), Path(journal).stem))
