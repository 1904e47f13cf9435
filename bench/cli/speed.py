"""`upbench speed`: time every cell through the pytest-benchmark suite, in a process of its own."""

import argparse
import itertools
import tempfile
from collections.abc import Sequence
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upbench.bench import host
from upbench.bench.adapters import select
from upbench.bench.cells import BEYOND_CACHE, COPY, Cell, plan, workload
from upbench.bench.cli import options
from upbench.bench.errors import UsageError
from upbench.bench.speed.suite.request import VARIABLE, Request
from upbench.bench.speed.timed import YARDSTICKS
from upbench.bench.store import Journal, read_json, write_json
from upbench.bench.workers import pytest_process

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers

BATCHES = (1, 4, 16, 64, 256)
LARGEST_SWEPT = 2**28  # values of an output: 1 GiB in float32


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "speed",
        help="time methods over workloads and write speed.json (pytest-benchmark's format)",
        example="upbench speed --methods bilinear bicubic --workloads cifar image --scales 2",
    )
    options.add_methods(parser)
    options.add_scales(parser)
    options.add_device(parser)
    options.add_dtypes(parser)
    options.add_speed_options(parser)
    parser.add_argument(
        "--sweep",
        nargs="*",
        type=options.positive,
        metavar="N",
        help=f"instead, each workload with these batch sizes -> sweep.json (default: {' '.join(map(str, BATCHES))})",
    )
    options.add_out(parser)
    parser.set_defaults(run=run_command)


def run_command(arguments: argparse.Namespace) -> int:
    """`upbench speed`, with or without `--sweep`."""
    if arguments.sweep is None:
        return run(arguments)
    return stage(swept(arguments, arguments.sweep or BATCHES), arguments, "sweep")


def run(arguments: argparse.Namespace) -> int:
    """Measure, write `speed.json` and `host.json`, and say how many cells failed."""
    return stage(planned(arguments), arguments, "speed")


def stage(cells: list[Cell], arguments: argparse.Namespace, name: str, until: float | None = None) -> int:
    """Measure cells and write them to `NAME.json`; those that come up after the moment `until` are skipped."""
    write_json(arguments.out / "host.json", {"host": host.fingerprint()})
    journal = Journal(arguments.out / f"{name}.journal", _request(cells, arguments))
    header = measure(cells, arguments, journal, until)
    rows = _in_order(cells, journal.rows)
    write_json(arguments.out / f"{name}.json", _document(header, rows))
    journal.finish()
    return options.say_outcome(rows, name)


def swept(arguments: argparse.Namespace, batches: Sequence[int]) -> list[Cell]:
    """The cells of a sweep: each workload's images in batches of these sizes, those that are too large left out."""
    names = []
    for one, batch in itertools.product(arguments.workloads, batches):
        _, c, h, w = workload(one).shape
        name = f"{batch}x{c}x{h}x{w}"
        if batch * c * h * w * max(arguments.scales) ** 2 <= LARGEST_SWEPT:
            names.append(name)
        else:
            print(f"sweep: {name} is left out, its output would hold more than {LARGEST_SWEPT / 2**20:.0f} Mi values.")
    return planned(argparse.Namespace(**(vars(arguments) | {"workloads": list(dict.fromkeys(names))})))


def planned(arguments: argparse.Namespace) -> list[Cell]:
    """The cells asked for, the plain copy of each shape among them; raises `UsageError` for a wrong name."""
    options.device(arguments.device)
    for name in arguments.workloads:
        workload(name)
    if not 0 < arguments.seconds <= 60:
        raise UsageError("--seconds takes a time above 0 and up to 60.")
    names = [adapter.name for adapter in select(arguments.methods, arguments.method)]
    asked = plan(
        methods=[COPY, *names],
        scales=arguments.scales,
        workloads=arguments.workloads,
        devices=[arguments.device],
        dtypes=arguments.dtypes,
        memory_formats=arguments.memory_formats,
        modes=arguments.modes,
        steps=arguments.steps,
        threads=arguments.threads,
    )
    return asked + yardsticks(arguments.device, arguments.threads)


def yardsticks(device: str, threads: Sequence[int]) -> list[Cell]:
    """A copy and a write far beyond any cache: their bandwidth is what the report holds all others against."""
    return plan(methods=list(YARDSTICKS), scales=[1], workloads=[BEYOND_CACHE], devices=[device], threads=threads)


def measure(
    cells: list[Cell], arguments: argparse.Namespace, journal: Journal, until: float | None = None
) -> dict[str, Any]:
    """Run the suite until every cell has a row; returns pytest-benchmark's own header.

    A cell that brings the process down gets a row that says so, and a new process goes on behind it.
    """
    header: dict[str, Any] = {}
    while missing := _missing(cells, journal):
        with tempfile.TemporaryDirectory(prefix="upbench-") as folder:
            code, header = _run_suite(missing, arguments, journal, Path(folder), header, until)
            journal.reload()
            left = _missing(cells, journal)
            if code in (0, 1) and not left:
                break
            if code == 2 or (code > 2 and len(left) == len(missing)):
                log = (Path(folder) / "log").read_text(errors="replace")
                raise UsageError(f"the speed suite could not run (pytest's exit code {code}):\n{log[-2000:]}")
            if left:
                ended = f"signal {-code}" if code < 0 else f"exit code {code}"
                row = {"cell": left[0].name, "status": "failed", "reason": f"the process died ({ended})"}
                journal.append(row | {"benchmark": None})
    return header


def _run_suite(
    cells: list[Cell],
    arguments: argparse.Namespace,
    journal: Journal,
    folder: Path,
    header: dict[str, Any],
    until: float | None,
) -> tuple[int, dict[str, Any]]:
    request = Request(
        cells=[cell.name for cell in cells],
        specs=[options.absolute(spec) for spec in arguments.method],
        seconds=arguments.seconds,
        journal=str(journal.path.resolve()),
        until=until,
    )
    request.write(folder / "request.json")
    result = folder / "speed.json"
    code = pytest_process.run("upbench.bench.speed.suite", result, **{VARIABLE: str(folder / "request.json")})
    return code, read_json(result) if result.is_file() and result.stat().st_size else header


def _request(cells: list[Cell], arguments: argparse.Namespace) -> dict[str, Any]:
    return {"cells": [cell.name for cell in cells], "seconds": arguments.seconds, "host": host.identity()} | {
        "digests": options.digests(arguments.method)
    }


def _missing(cells: list[Cell], journal: Journal) -> list[Cell]:
    done = {row["cell"] for row in journal.rows}
    return [cell for cell in cells if cell.name not in done]


def _in_order(cells: list[Cell], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    by_name = {row["cell"]: row for row in rows}
    return [by_name[cell.name] for cell in cells]


def _document(header: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
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
