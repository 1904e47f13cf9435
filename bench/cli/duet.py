"""`upbench duet`: did a torch upgrade make upsampling slower, or change its pixels?"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from upbench.bench.cli import gate_options, options
from upbench.bench.gate.request import DuetRequest
from upbench.bench.stage import Shown

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "duet",
        help="compare torch versions cell by cell: slower, faster, other pixels",
        example="upbench duet --baseline 2.14.0 --candidate 2.15.0 --threshold 3%",
    )
    what = "a release such as 2.13.0, a python, or a virtual environment"
    parser.add_argument("--baseline", metavar="PY", help=what)
    parser.add_argument("--candidate", nargs="+", metavar="PY", help=f"{what}; several may be given")
    parser.add_argument(
        "--save-baseline", type=Path, metavar="FILE", help="measure the baseline alone and keep it in a file"
    )
    parser.add_argument(
        "--against", type=Path, metavar="FILE", help="compare candidates with a baseline kept on this machine"
    )
    parser.add_argument(
        "--plant",
        nargs="+",
        metavar="METHOD=FACTOR",
        help="make the candidate do that much more work, to see whether the gate finds it",
    )
    parser.add_argument(
        "--counter",
        choices=["instructions"],
        help="also count instructions (CPU; seconds a cell with perf, minutes with valgrind)",
    )
    options.add_methods(parser)
    options.add_scales(parser)
    options.add_device(parser)
    gate_options.add_gate_options(parser)
    options.add_out(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked: compare live versions, keep a baseline, or compare with one that was kept."""
    request = options.request(DuetRequest, arguments)
    from upbench.bench.gate import stage

    return stage.run(request, arguments.out, Shown()).ending
