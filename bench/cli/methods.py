"""`upbench list`: every method, its family, and whether it is available here."""

import argparse
import json
from typing import TYPE_CHECKING, Any

import torch

from upbench.bench.adapters import Adapter, select
from upbench.bench.cli.options import EXIT_OK, add_command, add_methods
from upbench.bench.errors import FailedError, SkippedError
from upbench.bench.upsampler import build

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = add_command(
        commands,
        "list",
        help="list every method, its family, and available / why not",
        example="upbench list --json",
    )
    add_methods(parser)
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the table; a method that is not available is no error."""
    rows = [describe(adapter) for adapter in select(arguments.methods, arguments.method)]
    if arguments.json:
        print(json.dumps(rows, indent=1))
        return EXIT_OK
    width = max((len(row["name"]) for row in rows), default=0)
    family = max((len(row["family"]) for row in rows), default=0)
    for row in rows:
        state = "available" if row["available"] else f"not available: {row['reason']}"
        print(f"{row['name']:{width}}  {row['family']:{family}}  {state}")
        if row["summary"]:
            print(f"{'':{width}}  {row['summary']}")
    return EXIT_OK


def describe(adapter: Adapter) -> dict[str, Any]:
    """A method's name, family, one-line definition, and whether it can be built here at scale 2 (on the CPU)."""
    row: dict[str, Any] = {"name": adapter.name, "family": adapter.family, "summary": "", "available": True}
    try:
        row["summary"] = adapter.summary()
        build(adapter, 2, torch.device("cpu"), torch.float32)
    except (SkippedError, FailedError) as reason:
        row |= {"available": False, "reason": str(reason)}
    return row
