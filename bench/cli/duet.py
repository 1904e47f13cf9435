"""`upbench duet`: did a torch upgrade make upsampling slower, or change its pixels?"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upbench.bench import host
from upbench.bench.cli import gate_options, options
from upbench.bench.errors import UsageError
from upbench.bench.gate import baseline, comparison, counter, github, outcome
from upbench.bench.gate.duet import Question, Side
from upbench.bench.gate.environments import Environment, environment
from upbench.bench.gate.gate import Gate
from upbench.bench.store import Journal, write_json
from upbench.bench.workers.launch import take_snapshot, worker_environment
from upbench.bench.workers.pipes import WorkerError

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "duet",
        help="compare torch versions cell by cell: slower, faster, other pixels",
        example="upbench duet --baseline 2.14.0 --candidate 2.15.0 --threshold 3%",
    )
    what = "a release such as 2.13.0, a python, or a virtual environment"
    parser.add_argument("--baseline", metavar="PY", help=what)
    parser.add_argument("--candidate", nargs="+", default=[], metavar="PY", help=f"{what}; several may be given")
    parser.add_argument(
        "--save-baseline", type=Path, metavar="FILE", help="measure the baseline alone and keep it in a file"
    )
    parser.add_argument(
        "--against", type=Path, metavar="FILE", help="compare candidates with a baseline kept on this machine"
    )
    parser.add_argument(
        "--plant",
        nargs="+",
        default=[],
        type=gate_options.plant,
        metavar="METHOD=FACTOR",
        help="make the candidate do that much more work, to see whether the gate finds it",
    )
    parser.add_argument(
        "--counter",
        choices=["instructions"],
        help="also count instructions (CPU; seconds a cell with perf, minutes with valgrind)",
    )
    options.add_methods(parser)
    options.add_scales(parser)
    options.add_device(parser)
    gate_options.add_gate_options(parser)
    options.add_out(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked: compare live versions, keep a baseline, or compare with one that was kept."""
    _check(arguments)
    try:
        if arguments.save_baseline:
            return _save_baseline(arguments)
        return conclude(_against(arguments) if arguments.against else _live(arguments))
    except WorkerError as error:
        print(f"upbench: nothing could be measured: {error}", file=sys.stderr)
        return options.EXIT_FAILED


def _check(arguments: argparse.Namespace) -> None:
    """Raise `UsageError` unless the options make one of the three kinds of run."""
    asked = [bool(arguments.baseline), bool(arguments.candidate), bool(arguments.against)]
    if arguments.save_baseline:
        if asked != [True, False, False]:
            raise UsageError("--save-baseline takes --baseline, and neither --candidate nor --against.")
    elif asked not in ([True, True, False], [False, True, True]):
        raise UsageError("Give --candidate and either --baseline or --against.")
    if arguments.plant and not arguments.baseline:
        raise UsageError("--plant works between two live versions only.")


def _live(arguments: argparse.Namespace) -> list[outcome.Record]:
    """Compare each candidate with the baseline, both alive, and write `versions.json`."""
    asked = gate_options.questions(arguments)
    planted = _planted(arguments, asked)
    versions = [arguments.baseline, *arguments.candidate]
    found = [environment(version, arguments.environments) for version in versions]
    snapshot = take_snapshot(arguments.environments)
    journal = Journal(arguments.out / "versions.journal", _request(arguments, found, snapshot, asked))
    comparisons = []
    for number, candidate in enumerate(found[1:], 1):
        print(f"torch {found[0].label} -> {candidate.label}: {len(asked)} cells", flush=True)
        sides = [
            Side(label=f"baseline {found[0].label}", python=found[0].python),
            Side(label=f"candidate {candidate.label}", python=candidate.python, planted=planted),
        ]
        gate = Gate(sides, asked, gate_options.settings(arguments), snapshot, _say)
        gate.run(journal, str(number))
        comparisons.append(comparison.record(gate, (found[0], candidate)))
        if arguments.counter:
            _count(comparisons[-1], (found[0], candidate), snapshot)
    write_json(arguments.out / "versions.json", {"comparisons": comparisons})
    journal.finish()
    return comparisons


def _count(compared: outcome.Record, ends: tuple[Environment, Environment], snapshot: Path) -> None:
    """Add instruction counts to every cell that was measured."""
    variables = worker_environment(snapshot, 1)
    for cell in compared["cells"]:
        if cell["ratio"] is not None:
            _say(f"instructions: {cell['cell']}")
            question = Question(name=cell["cell"], method=cell["method"])
            cell["instructions"] = counter.compare((ends[0].python, ends[1].python), variables, question)


def _save_baseline(arguments: argparse.Namespace) -> int:
    known, found = _alone(arguments, arguments.baseline)
    write_json(arguments.save_baseline, baseline.document(known, found))
    cells = found["cells"].values()
    kept = sum("verdict" not in cell for cell in cells)
    print(f"baseline: {kept} of {len(cells)} cells kept in {arguments.save_baseline}.")
    return options.EXIT_FAILED if any(cell.get("verdict") == "FAILED" for cell in cells) else options.EXIT_OK


def _against(arguments: argparse.Namespace) -> list[outcome.Record]:
    """Compare each candidate with a stored baseline, and write `versions.json`."""
    stored = baseline.read(arguments.against)
    comparisons = []
    for version in arguments.candidate:
        candidate, found = _alone(arguments, version)
        baseline.check_host(stored, found)
        settings = gate_options.settings(arguments)
        comparisons.append(baseline.comparison(stored, candidate, found, settings))
    write_json(arguments.out / "versions.json", {"comparisons": comparisons})
    return comparisons


def _alone(arguments: argparse.Namespace, version: str) -> tuple[Environment, outcome.Record]:
    """One version measured by itself."""
    asked = gate_options.questions(arguments)
    known = environment(version, arguments.environments)
    print(f"torch {known.label} alone: {len(asked)} cells", flush=True)
    side = Side(label=known.label, python=known.python)
    snapshot = take_snapshot(arguments.environments)
    return known, baseline.measure(side, asked, gate_options.settings(arguments), snapshot, _say)


def conclude(comparisons: list[outcome.Record]) -> int:
    """Print what was found, tell GitHub, and choose the exit code: a regression outweighs a failure."""
    for each in comparisons:
        print(f"\n{github.line(each)}")
        for cell in outcome.by_severity(each):
            print(f"  {outcome.sentence(cell)}")
    github.publish(comparisons)
    refusals = [text for each in comparisons if (text := outcome.refused(each))]
    if any(outcome.regressed(each) for each in comparisons):
        return options.EXIT_REGRESSION
    if any(outcome.unmeasured(each) for each in comparisons):
        return options.EXIT_FAILED
    if refusals:
        raise UsageError(refusals[0])
    return options.EXIT_OK


def _planted(arguments: argparse.Namespace, asked: list[Question]) -> dict[str, float]:
    planted = dict(arguments.plant)
    known = {question.name.partition("/")[0] for question in asked}
    for method in planted:
        if method not in known:
            raise UsageError(f"--plant {method}: that method is not among the cells compared.")
        print(f"PLANTED: the candidate does {planted[method]:g} times the work in {method}.", flush=True)
    return planted


def _request(
    arguments: argparse.Namespace, found: list[Environment], snapshot: Path, asked: list[Question]
) -> dict[str, Any]:
    """What must be the same for an interrupted comparison to be gone on with."""
    return {
        "versions": [{"python": str(each.python), "torch": each.torch} for each in found],
        "code": snapshot.name,
        "cells": [question.name for question in asked],
        "plant": sorted(arguments.plant),
        "settings": [arguments.threshold, arguments.budget, arguments.timeout],
        "cpu": host.cpu_model(),
    }


def _say(line: str) -> None:
    print(f"  {line}", flush=True)
