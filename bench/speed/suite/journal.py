"""Each measured cell goes to the request's journal at once, so that a killed run loses one cell at most."""

import functools
from dataclasses import asdict
from pathlib import Path
from typing import Any

from upbench.bench.cells import Cell
from upbench.bench.speed.suite.request import current
from upbench.bench.store import append_row


@functools.lru_cache(maxsize=1)
def _path() -> Path | None:
    name = current().journal
    return Path(name) if name else None


def record(cell: Cell, *, status: str, reason: str = "", benchmark: dict[str, Any] | None = None) -> None:
    """Append one cell's outcome; without a journal (a bare pytest run) pytest-benchmark's own table serves."""
    path = _path()
    if path is None:
        return
    row = asdict(cell) | {"cell": cell.name, "status": status, "reason": reason, "benchmark": benchmark}
    append_row(path, row)
