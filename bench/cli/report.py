"""`upbench report`: make the report anew from the files of one run, or of several machines' runs."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from upbench.bench.cli import options
from upbench.bench.stage import Shown
from upbench.reports.request import DEFAULT_FOLDER, JOINED, ReportRequest

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "report",
        help="make the report anew from the files of one run, or of several machines' runs",
        example="upbench report reports/out",
    )
    parser.add_argument("folders", nargs="*", type=Path, metavar="DIR", help=f"default: {DEFAULT_FOLDER}")
    parser.add_argument(
        "--html", action=argparse.BooleanOptionalAction, help="write the interactive edition, report.html (default)"
    )
    parser.add_argument("--joined", type=Path, metavar="DIR", help=f"where the report of several runs lies: {JOINED}")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the report, print its first table and where the report lies."""
    first, *others = vars(arguments).get("folders") or [DEFAULT_FOLDER]
    request = options.request(ReportRequest, arguments).but(folder=first, others=tuple(others))
    from upbench.reports import stage

    return stage.run(request, Shown()).ending
