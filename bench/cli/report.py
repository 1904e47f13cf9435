"""`upbench report`: rebuild `report.md` and its figures from an output folder's files."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from upbench.bench.cli import options
from upbench.bench.errors import UsageError
from upbench.bench.store import write_text
from upbench.reports import frame, page

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
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=options.DEFAULT_OUT,
        metavar="DIR",
        help="default: %(default)s",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the report, print the headline table and where the report lies."""
    try:
        found = frame.read(arguments.folder)
    except frame.ReportError as error:
        raise UsageError(str(error)) from error
    path = arguments.folder / "report.md"
    write_text(path, page.compose(found))
    print(f"\n{page.headline(found)}\n\nreport: {path}")
    return options.EXIT_OK
