"""`upbench bisect`: which torch release changed the time or the pixels of a cell?"""

import argparse
from typing import TYPE_CHECKING

from upbench.bench.cli import gate_options, options
from upbench.bench.gate.releases.request import BisectRequest
from upbench.bench.stage import Shown

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "bisect",
        help="find the torch release that changed a cell's time or pixels",
        example="upbench bisect --cell bicubic/x2/image --good 2.11.0 --bad 2.15.0",
    )
    parser.add_argument("--cell", required=True, metavar="NAME", help="such as bicubic/x2/image/cpu/float32")
    parser.add_argument("--method", metavar="FILE.py:FACTORY", help="where the cell's method is, if not installed")
    parser.add_argument("--good", required=True, metavar="PY", help="the earlier release")
    parser.add_argument("--bad", required=True, metavar="PY", help="the later release")
    parser.add_argument("--releases", nargs="+", metavar="PY", help="those between (default: each minor release)")
    gate_options.add_closeness(parser.add_argument_group("gate"), budget="160s")
    options.add_out(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Find the changes; the exit code is 1 where there is one."""
    request = options.request(BisectRequest, arguments)
    from upbench.bench.gate.releases import bisect_stage

    return bisect_stage.run(request, arguments.out, Shown()).ending
