"""`upbench report`: rebuild `report.md` and its figures from an output folder's files."""

import argparse
from typing import TYPE_CHECKING

from upbench.bench.cli import folder, options
from upbench.bench.store import write_text

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
    from upbench.reports import headline, page

    found = folder.read(arguments.folder)
    path = arguments.folder / "report.md"
    write_text(path, page.compose(found))
    if table := headline.headline(found):
        print(f"\n{table}\n")
    print(f"report: {path}")
    return options.EXIT_OK
