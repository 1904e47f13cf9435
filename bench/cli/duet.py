"""`upbench duet`: any two sides, asked in turn: which is slower, and do the pixels differ?"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from upbench.bench.adapters import discover
from upbench.bench.cli import gate_options, options
from upbench.bench.gate.request import DuetRequest
from upbench.bench.gate.sides.side import FLAGS
from upbench.bench.stage import Shown
from upbench.bench.workers.launch import ALLOCATORS

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "duet",
        help="compare two sides cell by cell: versions, settings, commits or methods; slower, faster, other pixels",
        example="upbench duet --baseline 2.14.0 --candidate 2.15.0 --threshold 3%\n"
        "  upbench duet --versus bilinear polyphase-bilinear --workloads image\n"
        '  upbench duet --baseline "opencv-python-headless==4.12.0.88" --candidate "opencv-python-headless==5.0.0.93"'
        " --methods opencv-linear\n"
        "  upbench duet --baseline-ref main --candidate-ref HEAD --method path/to/mine.py:factory\n"
        "  upbench duet --candidate-set ATEN_CPU_CAPABILITY=avx2",
    )
    _add_sides(parser)
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
    parser.add_argument(
        "--no-edges",
        action="store_false",
        dest="edges",
        help="leave out the pixels at the edges of the space of shapes",
    )
    options.add_methods(parser)
    options.add_scales(parser)
    options.add_device(parser)
    gate_options.add_gate_options(parser)
    options.add_out(parser)
    parser.set_defaults(run=run)


def _add_sides(parser: argparse.ArgumentParser) -> None:
    """What is compared with what; where only one thing differs, the rest is this python's."""
    group = parser.add_argument_group("sides")
    what = "a release such as 2.13.0, requirements such as 'torch==2.14.0 triton==3.5.1', a python, or an environment"
    group.add_argument("--baseline", metavar="PY", help=what)
    group.add_argument("--candidate", nargs="+", metavar="PY", help="the same; several may be given")
    methods = group.add_argument(
        "--versus",
        nargs=2,
        metavar=("METHOD", "METHOD"),
        help="two methods on the same inputs, names or FILE.py:FACTORY",
    )
    options.completes(methods, discover)
    group.add_argument("--baseline-ref", metavar="REF", help="a commit of the checkout that --method lies in")
    group.add_argument("--candidate-ref", metavar="REF", help="another (either left out: the files as they are)")
    setting = f"a variable, or a flag of torch: {', '.join(FLAGS)}"
    group.add_argument("--baseline-set", nargs="+", metavar="NAME=VALUE", help=setting)
    group.add_argument("--candidate-set", nargs="+", metavar="NAME=VALUE", help="the same")
    group.add_argument(
        "--allocator", choices=ALLOCATORS, help="memory held still, or plain as in a user's process (default: held)"
    )
    group.add_argument("--candidate-allocator", choices=ALLOCATORS, help="the candidate's, if it is another")
    group.add_argument("--python", metavar="VERSION", help="the interpreter of environments that have to be made")
    group.add_argument("--index", metavar="URL", help="of packages, for nightlies such as 2.16.0.dev20261120")


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked: compare live versions, keep a baseline, or compare with one that was kept."""
    request = options.request(DuetRequest, arguments)
    from upbench.bench.gate import stage

    return stage.run(request, arguments.out, Shown()).ending
