"""Options of the version gate, and the cells they ask for."""

import argparse
import re
from pathlib import Path

from upbench.bench.adapters import from_spec, select
from upbench.bench.cells import DTYPES, plan, workload
from upbench.bench.cli import options
from upbench.bench.gate.duet import Question
from upbench.bench.gate.gate import Settings

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


def add_gate_options(parser: argparse.ArgumentParser) -> None:
    """Which cells are compared, how closely, and for how long."""
    group = parser.add_argument_group("gate")
    group.add_argument(
        "--workloads",
        action=options.Each,
        default=list(DEFAULT_WORKLOADS),
        metavar="NAME",
        help="cifar image feature single, or a shape NxCxHxW (default: cifar image single)",
    )
    group.add_argument("--dtypes", action=options.Each, default=["float32"], choices=DTYPES, help="default: float32")
    group.add_argument("--threads", type=options.positive, default=1, metavar="N", help="CPU threads (default: 1)")
    add_closeness(group)


def add_closeness(group: "argparse._ArgumentGroup") -> None:
    """How closely to look, how long, and where environments are kept."""
    group.add_argument("--threshold", type=share, default=0.03, metavar="SHARE", help="such as 3%% (default) or 0.03")
    group.add_argument("--budget", type=seconds, default=160.0, metavar="TIME", help="such as 160s (default) or 5m")
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


def questions(arguments: argparse.Namespace) -> list[Question]:
    """The cells to compare; raises `UsageError` for a method or workload that does not exist."""
    names = arguments.methods or ([] if arguments.method else list(DEFAULT_METHODS))
    specs = [options.absolute(spec) for spec in arguments.method]
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


def settings(arguments: argparse.Namespace) -> Settings:
    """What the comparison is told."""
    return Settings(
        threshold=arguments.threshold,
        budget=arguments.budget,
        timeout=arguments.timeout,
        threads=arguments.threads,
    )
