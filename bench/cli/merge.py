"""`upbench merge`: result folders of several machines as one, by kind of machine."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from upbench.bench.cli import options
from upbench.bench.fleet.request import MergeRequest
from upbench.bench.stage import Shown

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "merge",
        help="join result folders of several machines by kind of machine; times of two kinds are never pooled",
        example="upbench merge runs/first runs/second runs/third --out joined",
    )
    parser.add_argument("folders", nargs="*", type=Path, metavar="DIR", help="a finished run's output folder each")
    options.add_out(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Join them, or say in a sentence what does not fit."""
    request = options.request(MergeRequest, arguments)
    from upbench.bench.fleet import merge

    return merge.run(request, arguments.out, Shown()).ending
