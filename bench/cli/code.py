"""`upbench code`: a method as one module to take into one's own project."""

import argparse
from typing import TYPE_CHECKING

from upbench.bench.cli import options
from upbench.bench.jobs.code_request import CodeRequest
from upbench.bench.stage import Ending

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "code",
        help="print a method as one module that needs no upbench, with a check of its pixels",
        example="upbench code polyphase-bicubic --scale 2 > upsample.py && python upsample.py",
    )
    parser.add_argument("method", metavar="METHOD", help="an installed method of upbench's own")
    parser.add_argument("--scale", type=options.scale_factor, metavar="S", help="default: 2")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the module."""
    request = options.request(CodeRequest, arguments)
    from upbench.bench.jobs import code

    print(code.module(request), end="")
    return Ending.OK
