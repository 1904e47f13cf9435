"""`upbench bisect`: which torch release changed the time or the pixels of a cell?"""

import argparse
import functools
import sys
from typing import TYPE_CHECKING

from upbench.bench.adapters import select
from upbench.bench.cells import Cell
from upbench.bench.cli import gate_options, options
from upbench.bench.errors import FailedError, UsageError
from upbench.bench.gate import bisect, comparison, outcome
from upbench.bench.gate.duet import Question, Side
from upbench.bench.gate.environments import environment
from upbench.bench.gate.gate import Gate, Settings
from upbench.bench.store import Journal, write_json
from upbench.bench.workers.launch import take_snapshot
from upbench.bench.workers.pipes import WorkerError

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "bisect",
        help="find the torch release that changed a cell's time or pixels",
        example="upbench bisect --cell bicubic/x2/image --good 2.11.0 --bad 2.15.0",
    )
    parser.add_argument("--cell", required=True, metavar="NAME", help="such as bicubic/x2/image/cpu/float32")
    parser.add_argument("--method", metavar="FILE.py:FACTORY", help="where the cell's method is, if not installed")
    parser.add_argument("--good", required=True, metavar="PY", help="the earlier release")
    parser.add_argument("--bad", required=True, metavar="PY", help="the later release")
    parser.add_argument(
        "--releases", nargs="+", default=[], metavar="PY", help="those between (default: each minor release)"
    )
    gate_options.add_closeness(parser.add_argument_group("gate"))
    options.add_out(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Find the changes, print each with commands that show it again; the exit code is 1 where there is one."""
    cell = Cell.parse(arguments.cell)
    method = options.absolute(arguments.method) if arguments.method else select([cell.method])[0].name
    question = Question(name=cell.name, method=method)
    done: list[outcome.Record] = []
    compare = functools.cache(functools.partial(_compare, arguments, question, done))
    try:
        found = bisect.find_changes(_releases(arguments), arguments.threshold, compare)
    except (FailedError, WorkerError) as error:
        print(f"upbench: it could not be found: {error}", file=sys.stderr)
        return options.EXIT_FAILED
    finally:
        if done:
            write_json(arguments.out / "bisect.json", {"comparisons": done})
    for change in found:
        amount = f"time x{change.amount:.3f}" if change.what == "time" else f"pixels by up to {change.amount:.2g}"
        print(f"\n{cell.name}: {amount} between {change.before} and {change.after}\n")
        print(bisect.script(cell.name, method, change))
    if not found:
        print(f"{cell.name}: neither time nor pixels changed.")
    return options.EXIT_REGRESSION if found else options.EXIT_OK


def _releases(arguments: argparse.Namespace) -> list[str]:
    if arguments.releases:
        return [arguments.good, *arguments.releases, arguments.bad]
    try:
        return bisect.minor_releases(arguments.good, arguments.bad)
    except FailedError as error:
        raise UsageError(str(error)) from error


def _compare(
    arguments: argparse.Namespace, question: Question, done: list[outcome.Record], release: str, threshold: float
) -> outcome.Record:
    """One duet of the good release with another; its row."""
    ends = [environment(version, arguments.environments) for version in (arguments.good, release)]
    settings = Settings(
        threshold=threshold,
        budget=arguments.budget,
        timeout=arguments.timeout,
        threads=Cell.parse(question.name).threads,
    )
    snapshot = take_snapshot(arguments.environments)
    sides = [Side(label=each.label, python=each.python) for each in ends]
    gate = Gate(sides, [question], settings, snapshot, lambda line: None)
    journal = Journal(
        arguments.out / "bisect.journal",
        {"cell": question.name, "ends": [str(each.python) for each in ends], "threshold": threshold},
    )
    gate.run(journal, release)
    done.append(comparison.record(gate, (ends[0], ends[1])))
    journal.finish()
    row: outcome.Record = done[-1]["cells"][0]
    print(f"{ends[0].label} -> {ends[1].label}, threshold {threshold:.1%}: {outcome.sentence(row)}", flush=True)
    return row
