"""What the speed suite is asked to measure: written by `upbench speed`, or the default of a bare pytest run."""

import functools
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from upbench.bench.adapters import discover
from upbench.bench.cells import COPY, Cell, plan
from upbench.bench.store import read_json, write_json

VARIABLE = "UPBENCH_SPEED_REQUEST"


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteRequest:
    """Cell names in order, method specs from outside, seconds for each cell, and the journal to append to.

    Cells that come up after the moment `until` (`time.monotonic()`, one clock for all processes) are skipped; one that
    takes longer than `limit` seconds in all fails.
    """

    cells: list[str]
    specs: list[str] = field(default_factory=list)
    seconds: float = 0.1
    journal: str | None = None
    until: float | None = None
    limit: float = 600.0

    def write(self, path: Path) -> None:
        """Write the request for the suite's process."""
        write_json(path, asdict(self))

    @classmethod
    def read(cls, path: Path) -> "SuiteRequest":
        """Read a request that `write` wrote."""
        document = read_json(path)
        return cls(**{name: document[name] for name in cls.__dataclass_fields__})


@functools.lru_cache(maxsize=1)
def current() -> SuiteRequest:
    """The request that the environment names, or every installed method on two workloads at scale 2."""
    path = os.environ.get(VARIABLE)
    if path:
        return SuiteRequest.read(Path(path))
    everything = plan(methods=[COPY, *discover()], scales=[2], workloads=["cifar", "image"])
    return SuiteRequest(cells=[cell.name for cell in everything])


def cell_parameters() -> list[Cell]:
    """The cells to measure, in order."""
    return [Cell.parse(name) for name in current().cells]
