"""Options of the version gate."""

import argparse
import re
from pathlib import Path

from upbench.bench.cells import DTYPES, MEMORY_FORMATS, MODES, STEPS, WORKLOADS
from upbench.bench.cli import options


def add_gate_options(parser: argparse.ArgumentParser) -> None:
    """Which cells are compared, how closely, and for how long."""
    group = parser.add_argument_group("gate")
    workloads = group.add_argument(
        "--workloads",
        nargs="+",
        metavar="NAME",
        help="cifar image feature single, or a shape NxCxHxW (default: cifar image single)",
    )
    options.completes(workloads, WORKLOADS)
    group.add_argument("--dtypes", nargs="+", choices=DTYPES, help="default: float32")
    group.add_argument("--memory-formats", nargs="+", choices=MEMORY_FORMATS, help="default: contiguous")
    group.add_argument("--modes", nargs="+", choices=MODES, help="default: eager")
    group.add_argument(
        "--pass",
        nargs="+",
        choices=STEPS,
        dest="passes",
        help="forward, or train for forward and backward (default: forward)",
    )
    group.add_argument("--threads", nargs="+", type=options.positive, metavar="N", help="CPU threads (default: 1)")
    group.add_argument(
        "--precision", type=share, metavar="SHARE", help="go on until each interval keeps to this on either side"
    )
    add_closeness(group)


def add_closeness(group: "argparse._ArgumentGroup", budget: str = "300s") -> None:
    """How closely to look, how long, and where environments are kept."""
    group.add_argument("--threshold", type=share, metavar="SHARE", help="such as 3%% (default) or 0.03")
    group.add_argument("--budget", type=seconds, metavar="TIME", help=f"such as 5m (default: {budget})")
    group.add_argument("--timeout", type=seconds, metavar="TIME", help="for one answer of a worker (default: 60s)")
    group.add_argument("--environments", type=Path, metavar="DIR", help="where environments are kept (default: .nox)")


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


def seconds_or_none(text: str) -> float:
    """The same, or `0` for none of it."""
    return 0.0 if re.fullmatch("0s?", text) else seconds(text)
