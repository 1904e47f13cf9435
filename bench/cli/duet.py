"""`upbench duet`: did a torch upgrade make upsampling slower, or change its pixels?"""

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upbench.bench import comparison, github, host, outcome
from upbench.bench.adapters import from_spec, select
from upbench.bench.cells import DTYPES, plan, workload
from upbench.bench.cli import options
from upbench.bench.duet import Question, Side
from upbench.bench.environments import Environment, environment
from upbench.bench.errors import UsageError
from upbench.bench.gate import Gate, Settings
from upbench.bench.launch import take_snapshot
from upbench.bench.pipes import WorkerError
from upbench.bench.store import Journal, write_json

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers

DEFAULT_METHODS = (
    "nearest",
    "nearest-exact",
    "bilinear",
    "bilinear-align-corners",
    "bilinear-antialias",
    "bicubic",
    "bicubic-align-corners",
    "bicubic-antialias",
    "transposed-random",
    "pixel-shuffle",
)
DEFAULT_WORKLOADS = ("cifar", "image", "single")
ENVIRONMENTS = Path(".nox")


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "duet",
        help="compare torch versions cell by cell: slower, faster, other pixels",
        example="upbench duet --baseline 2.14.0 --candidate 2.15.0 --threshold 3%",
    )
    what = "a release such as 2.13.0, a python, or a virtual environment"
    parser.add_argument("--baseline", required=True, metavar="PY", help=what)
    parser.add_argument("--candidate", nargs="+", required=True, metavar="PY", help=f"{what}; several may be given")
    parser.add_argument(
        "--plant",
        nargs="+",
        default=[],
        type=plant,
        metavar="METHOD=FACTOR",
        help="make the candidate do that much more work, to see whether the gate finds it",
    )
    options.add_methods(parser)
    options.add_scales(parser)
    options.add_device(parser)
    add_gate_options(parser)
    options.add_out(parser)
    parser.set_defaults(run=run)


def add_gate_options(parser: argparse.ArgumentParser) -> None:
    """Which cells are compared, how closely, and for how long."""
    group = parser.add_argument_group("gate")
    group.add_argument(
        "--workloads",
        nargs="+",
        default=list(DEFAULT_WORKLOADS),
        metavar="NAME",
        help="cifar image feature single, or a shape NxCxHxW (default: cifar image single)",
    )
    group.add_argument("--dtypes", nargs="+", default=["float32"], choices=DTYPES, help="default: float32")
    group.add_argument("--threads", type=options.positive, default=1, metavar="N", help="CPU threads (default: 1)")
    group.add_argument("--threshold", type=share, default=0.03, metavar="SHARE", help="such as 3%% (default) or 0.03")
    group.add_argument("--budget", type=seconds, default=120.0, metavar="TIME", help="such as 120s (default) or 5m")
    group.add_argument(
        "--timeout",
        type=seconds,
        default=60.0,
        metavar="TIME",
        help="for one answer of a worker (default: 60s)",
    )
    group.add_argument(
        "--environments",
        type=Path,
        default=ENVIRONMENTS,
        metavar="DIR",
        help="where environments are kept (default: %(default)s)",
    )


def share(text: str) -> float:
    """`3%` or `0.03` as 0.03."""
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share such as 3% or 0.03")
    return value


def seconds(text: str) -> float:
    """`90`, `90s` or `1.5m` as 90 seconds."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(s|m)?", text)
    value = float(found[1]) * (60 if found[2] == "m" else 1) if found else 0.0
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 120s or 2m")
    return value


def plant(text: str) -> tuple[str, float]:
    """`bicubic=1.05` as the method and its factor."""
    method, _, factor = text.partition("=")
    try:
        value = float(factor)
    except ValueError:
        value = 0.0
    if not method or not 1 < value <= 10:
        raise argparse.ArgumentTypeError(f"{text!r} is no METHOD=FACTOR with a factor above 1, up to 10")
    return method, value


def run(arguments: argparse.Namespace) -> int:
    """Compare each candidate with the baseline, write `versions.json`, and say what was found."""
    asked = questions(arguments)
    planted = _planted(arguments, asked)
    versions = [arguments.baseline, *arguments.candidate]
    found = [environment(version, arguments.environments) for version in versions]
    snapshot = take_snapshot(arguments.environments)
    settings = Settings(
        threshold=arguments.threshold,
        budget=arguments.budget,
        timeout=arguments.timeout,
        threads=arguments.threads,
    )
    journal = Journal(arguments.out / "versions.journal", _request(arguments, found, snapshot, asked))
    comparisons = []
    for number, candidate in enumerate(found[1:], 1):
        print(f"torch {found[0].label} -> {candidate.label}: {len(asked)} cells", flush=True)
        sides = [
            Side(label=f"baseline {found[0].label}", python=found[0].python),
            Side(label=f"candidate {candidate.label}", python=candidate.python, planted=planted),
        ]
        gate = Gate(sides, asked, settings, snapshot, _say)
        try:
            gate.run(journal, str(number))
        except WorkerError as error:
            print(f"upbench: nothing could be measured: {error}", file=sys.stderr)
            return options.EXIT_FAILED
        comparisons.append(comparison.record(gate, (found[0], candidate)))
    write_json(arguments.out / "versions.json", {"comparisons": comparisons})
    journal.finish()
    return conclude(comparisons)


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


def questions(arguments: argparse.Namespace) -> list[Question]:
    """The cells to compare; raises `UsageError` for a method or workload that does not exist."""
    names = arguments.methods or ([] if arguments.method else list(DEFAULT_METHODS))
    specs = [absolute(spec) for spec in arguments.method]
    methods = {adapter.name: adapter.name for adapter in select(names)} if names else {}
    methods |= {from_spec(spec).name: spec for spec in specs}
    for name in arguments.workloads:
        workload(name)
    cells = plan(
        methods=list(methods),
        scales=arguments.scales,
        workloads=arguments.workloads,
        devices=[arguments.device],
        dtypes=arguments.dtypes,
        threads=[arguments.threads],
    )
    return [Question(name=cell.name, method=methods[cell.method]) for cell in cells]


def absolute(spec: str) -> str:
    """A spec whose file is found from any folder."""
    source, _, attribute = spec.rpartition(":")
    return f"{Path(source).resolve()}:{attribute}" if source.endswith(".py") else spec


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
