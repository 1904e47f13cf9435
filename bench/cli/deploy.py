"""`upbench deploy`: every method by compile, export, ONNX, autocast and so on: does it get there, how fast."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from upbench.bench.cli import options
from upbench.bench.deploy.request import ROADS, DeployRequest
from upbench.bench.stage import Ending, Shown

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "deploy",
        help="send methods through compile, export, ONNX Runtime, autocast and so on, and write deploy.csv",
        example="upbench deploy --methods bicubic polyphase-bicubic --roads onnx-dynamic compile",
    )
    options.add_methods(parser)
    options.add_scales(parser)
    roads = parser.add_argument("--roads", nargs="+", metavar="ROAD", help=f"{' '.join(ROADS)} (default: all)")
    options.completes(roads, ROADS)
    parser.add_argument("--jobs", type=options.positive, metavar="N", help="worker processes at a time (default: 1)")
    parser.add_argument("--timeout", type=float, metavar="S", help="seconds for a road (default: 240)")
    parser.add_argument("--memory", type=float, metavar="GIB", help="memory of a worker (default: 8)")
    parser.add_argument("--minutes", type=float, metavar="M", help="begin no further road after so many minutes")
    parser.add_argument("--onnx", type=Path, metavar="FILE", help="write one method's checked model file instead")
    parser.add_argument("--static", action="store_true", help="with --onnx: for 256x256 only, not for any size")
    options.add_out(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Send every method down every road, or write one model file."""
    request = options.request(DeployRequest, arguments)
    if "onnx" in arguments:
        from upbench.bench.deploy import model

        print(model.write(request, arguments.onnx, dynamic="static" not in arguments))
        return Ending.OK
    from upbench.bench.deploy import stage

    return stage.run(request, arguments.out, Shown()).ending
