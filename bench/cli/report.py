"""`upbench report`: rebuild `report.md` and its figures from an output folder's files."""

import argparse
from typing import TYPE_CHECKING

from upbench.bench.cli import folder, options
from upbench.bench.stage import Shown
from upbench.reports.request import ReportRequest

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "report",
        help="rebuild report.md and its figures from an output folder's files",
        example="upbench report reports/out",
    )
    folder.add_folder(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the report, print the headline table and where the report lies."""
    request = options.request(ReportRequest, arguments)
    from upbench.reports import stage

    return stage.run(request, Shown()).ending
