"""`upbench verdict`: does a slowdown survive another machine?"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from upbench.bench.cli import options
from upbench.bench.gate.ci.requests import VerdictRequest
from upbench.bench.stage import Shown

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "verdict",
        help="join comparisons of the same cells from several machines",
        example="upbench verdict runners/first runners/second --out joined",
    )
    parser.add_argument("folders", nargs="*", type=Path, metavar="DIR", help="an output folder of upbench duet each")
    options.add_out(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Join them; the exit code is that of a comparison."""
    request = options.request(VerdictRequest, arguments)
    from upbench.bench.gate.ci import joined_stage

    return joined_stage.run(request, arguments.out, Shown()).ending
