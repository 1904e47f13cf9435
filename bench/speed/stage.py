"""The speed stage: every cell through the pytest-benchmark suite, in processes of its own -> `speed.json`."""

import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

from upbench.bench import grades, host
from upbench.bench.adapters import absolute, select
from upbench.bench.cells import BEYOND_CACHE, Cell
from upbench.bench.devices import device
from upbench.bench.errors import UsageError
from upbench.bench.keys import key, method_digests
from upbench.bench.lock import alone_in_its_folder
from upbench.bench.speed.request import LARGEST_SWEPT, SpeedRequest
from upbench.bench.speed.suite.request import VARIABLE, SuiteRequest
from upbench.bench.stage import Outcome, Progress, Row, concluded
from upbench.bench.store import Journal, journal_rows, read_json, write_json
from upbench.bench.workers import pytest_process
from upbench.bench.workers.crew import required

SUITE = "upbench.bench.speed.suite"
AGAIN = 0.1  # of the measuring time, for cells that others disturbed


def run(request: SpeedRequest, out: Path, progress: Progress) -> Outcome:
    """Measure what is asked and write `speed.json`, or with a sweep `sweep.json`."""
    if request.sweep is not None:
        for name in request.batches()[1]:
            values = f"more than {LARGEST_SWEPT / 2**20:.0f} Mi values"
            progress.say(f"sweep: {name} is left out, its output would hold {values}.")
    return measure(request, out, request.cells(), progress)


@alone_in_its_folder
def measure(
    request: SpeedRequest, out: Path, cells: Sequence[Cell], progress: Progress, until: float | None = None
) -> Outcome:
    """Measure these cells with the request's methods and seconds; those that come up after `until` are skipped."""
    required(request.methods, request.method, device(request.device))
    write_json(out / "host.json", {"host": host.fingerprint()})
    journal = Journal(out / f"{request.name}.journal", request.to_json(), _keys(request, cells), name="cell")
    header: dict[str, Any] = {}
    in_turn = _module_by_module(request, cells)
    while missing := _missing(in_turn, journal):
        header = _one_process(request, missing, journal, header, until)
    if again := crowded_cells(in_turn, journal.rows):
        progress.say(f"{request.name}: {len(again)} cells were measured on a crowded machine; once more for these.")
        header = _one_process(request, again, journal, header, until)
    rows = [best_row([row for row in journal.rows if row["cell"] == cell.name]) for cell in cells]
    write_json(out / f"{request.name}.json", _document(header, rows))
    journal.finish()
    return concluded(request.name, rows, progress)


@alone_in_its_folder
def give_up(request: SpeedRequest, out: Path, reason: str, progress: Progress) -> Outcome:
    """Write the file of a run that cannot go on: what its journal has, and for all other cells the reason.

    The journal stays, so that a later run goes on from it.
    """
    known = read_json(out / "host.json")["host"] if (out / "host.json").is_file() else {}
    found: dict[str, list[Row]] = {}
    for row in journal_rows(out / f"{request.name}.journal"):
        found.setdefault(row["cell"], []).append(row)
    lost = {"status": "failed", "reason": reason}
    rows = [best_row(found.get(cell.name, [{"cell": cell.name} | lost])) for cell in request.cells()]
    write_json(out / f"{request.name}.json", _document({"machine_info": {"upbench": known}}, rows))
    return concluded(request.name, rows, progress)


def _one_process(
    request: SpeedRequest, missing: list[Cell], journal: Journal, header: dict[str, Any], until: float | None
) -> dict[str, Any]:
    """Run the suite over the cells that have no row; returns pytest-benchmark's own header.

    A cell that brings the process down gets a row that says so.
    """
    with tempfile.TemporaryDirectory(prefix="upbench-") as name:
        folder = Path(name)
        asked = SuiteRequest(
            cells=[cell.name for cell in missing],
            specs=[absolute(spec) for spec in request.method],
            seconds=request.seconds,
            journal=str(journal.path.resolve()),
            until=until,
            limit=request.time_limit,
        )
        asked.write(folder / "request.json")
        result = folder / "speed.json"
        code = pytest_process.run(SUITE, result, request.allocator, **{VARIABLE: str(folder / "request.json")})
        journal.reload()
        left = _missing(list(missing), journal)
        if code == 2 or (code > 2 and len(left) == len(missing)):
            log = (folder / "log").read_text(errors="replace")
            raise UsageError(f"the speed suite could not run (pytest's exit code {code}):\n{log[-2000:]}")
        if left:
            ended = f"signal {-code}" if code < 0 else f"exit code {code}"
            row = {"cell": left[0].name, "status": "failed", "reason": f"the process died ({ended})"}
            journal.append(row | {"benchmark": None})
        return read_json(result) if result.is_file() and result.stat().st_size else header


def _keys(request: SpeedRequest, cells: Sequence[Cell]) -> dict[str, str]:
    """What decides each cell: machine, software, settings, the time for a cell, the allocator, the method's module."""
    sources = method_digests(select(request.methods, request.method))
    about = [host.identity(), request.seconds, request.allocator]
    return {cell.name: key(about, cell.name, sources.get(cell.method, "")) for cell in cells}


def _module_by_module(request: SpeedRequest, cells: Sequence[Cell]) -> list[Cell]:
    """The cells of one module after the other, so that each is imported and checked once; the yardsticks come last."""
    modules = {adapter.name: adapter.module for adapter in select(request.methods, request.method)}
    order = list(dict.fromkeys(modules.get(cell.method, "") for cell in cells))
    return sorted(cells, key=lambda cell: (cell.workload == BEYOND_CACHE, order.index(modules.get(cell.method, ""))))


def _missing(cells: Sequence[Cell], journal: Journal) -> list[Cell]:
    done = {row["cell"] for row in journal.rows}
    return [cell for cell in cells if cell.name not in done]


def crowded_cells(cells: Sequence[Cell], rows: Sequence[Row]) -> list[Cell]:
    """What to measure once more: cells that others disturbed, in order, for a tenth of the time that all took."""
    pressures = {row["cell"]: _pressure(row) for row in rows}
    took = {name: pressure.get("seconds") or 0.0 for name, pressure in pressures.items()}
    tried = Counter(row["cell"] for row in rows)
    left = AGAIN * sum(took.values())
    found = []
    for cell in cells:
        if grades.crowded(pressures[cell.name]) and tried[cell.name] == 1 and took[cell.name] <= left:
            left -= took[cell.name]
            found.append(cell)
    return found


def _pressure(row: Row) -> dict[str, Any]:
    return ((row.get("benchmark") or {}).get("extra_info") or {}).get("pressure") or {}


def best_row(rows: Sequence[Row]) -> Row:
    """Of several measurements of a cell the one with the best grade; one that failed counts, one without time not."""
    failed = [row for row in rows if row["status"] == "failed"]
    measured = [row for row in rows if row["status"] == "ok"]
    if failed or not measured:
        return (failed or list(rows))[0]
    return min(measured, key=lambda row: grades.grade(row["benchmark"]["stats"]["data"], _pressure(row))[0])


def _document(header: dict[str, Any], rows: list[Row]) -> dict[str, Any]:
    """pytest-benchmark's document with every measured cell, and ours beside it: a status for every cell."""
    plain = {
        "machine_info": {"upbench": host.fingerprint()},
        "commit_info": {},
        "datetime": datetime.now(timezone.utc).isoformat(),
        "version": version("pytest-benchmark"),
    }
    return (
        plain
        | header
        | {
            "benchmarks": [row["benchmark"] for row in rows if row["status"] == "ok"],
            "cells": [{name: row[name] for name in ("cell", "status", "reason")} for row in rows],
        }
    )
