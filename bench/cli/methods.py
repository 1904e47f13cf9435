"""`upbench list`: every method, its family, and whether it is available here."""

import argparse
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from upbench.bench.adapters import Adapter, check_methods, select
from upbench.bench.cli import options
from upbench.bench.listing import describe
from upbench.bench.stage import Ending

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "list",
        help="list every method, its family, and available / why not",
        example="upbench list --json",
    )
    options.add_methods(parser)
    parser.add_argument("--json", action="store_true", default=False, help="as JSON, for programs")
    parser.add_argument(
        "--check",
        action="store_true",
        default=False,
        help="build each method at scale 2 on the CPU; without it, available means that its libraries are installed",
    )
    parser.set_defaults(run=run, methods=None, method=[])


def run(arguments: argparse.Namespace) -> int:
    """Print the table; a method that is not available is no error."""
    check_methods(arguments.methods, arguments.method)
    adapters = select(arguments.methods, arguments.method)
    rows = tried(adapters) if arguments.check else [describe(adapter) for adapter in adapters]
    if arguments.json:
        print(json.dumps(rows, indent=1))
        return Ending.OK
    width = max((len(row["name"]) for row in rows), default=0)
    family = max((len(row["family"]) for row in rows), default=0)
    for row in rows:
        state = "available" if row["available"] else f"not available: {row['reason']}"
        print(f"{row['name']:{width}}  {row['family']:{family}}  {state}")
        if row["summary"]:
            print(f"{'':{width}}  {row['summary']}")
    return Ending.OK


def tried(adapters: Sequence[Adapter]) -> list[dict[str, Any]]:
    """The same of methods that are built, each in a worker, so that what they say themselves is told."""
    from upbench.bench.workers.tried import tried

    return [describe(adapter) | found for adapter, found in zip(adapters, tried(adapters), strict=True)]
