"""`upbench trial`: is the version gate to be believed on this machine?"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from upbench.bench.cli import options
from upbench.bench.gate.trial.request import PARTS, TrialRequest
from upbench.bench.stage import Shown

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "trial",
        help="measure the version gate's own false alarms and power, one version against itself; about two hours",
        example="upbench trial --version 2.15.0 --scale 0.1 --kills 2",
    )
    parser.add_argument(
        "--version", metavar="PY", help="a release, a python or a virtual environment (default: 2.15.0)"
    )
    parser.add_argument("--scale", type=float, metavar="SHARE", help="share of the runs (default: 1, all of them)")
    parser.add_argument("--only", nargs="+", choices=[part.name for part in PARTS], help="these parts alone")
    parser.add_argument("--kills", type=int, metavar="N", help="how often a run is killed (default: 20)")
    parser.add_argument(
        "--also", nargs="+", type=Path, metavar="DIR", help="folders of other trials, to stand in the same table"
    )
    parser.add_argument("--environments", type=Path, metavar="DIR", help="where environments are kept (default: .nox)")
    options.add_device(parser)
    parser.add_argument(
        "--out", type=Path, default=Path("reports/out/trial"), metavar="DIR", help="default: %(default)s"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run what is missing, then print the table."""
    request = options.request(TrialRequest, arguments)
    from upbench.bench.gate.trial import stage as trial

    return trial.run(request, arguments.out, Shown()).ending
