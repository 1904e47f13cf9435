"""`upbench comment`: write what a pull request is told, from an output folder's comparisons."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from upbench.bench.cli import options
from upbench.bench.stage import Ending
from upbench.bench.store import read_json, write_text

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "comment",
        help="write comment.md for a pull request from an output folder's versions.json",
        example="upbench comment reports/out",
    )
    parser.add_argument("folder", type=Path, nargs="?", default=options.DEFAULT_OUT, help="default: %(default)s")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the file and say where it lies."""
    from upbench.bench.gate.ci.comment import comment

    path = arguments.folder / "comment.md"
    write_text(path, comment(read_json(arguments.folder / "versions.json").get("comparisons", [])))
    print(f"comment: {path}")
    return Ending.OK
