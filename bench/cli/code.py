"""`upbench code`: a method as one module, or one model file, to take into one's own project."""

import argparse
from pathlib import Path
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
        example="upbench code polyphase-bicubic --scale 2",
    )
    parser.add_argument("method", metavar="METHOD", help="an installed method of upbench's own")
    parser.add_argument("--scale", type=options.scale_factor, metavar="S", help="default: 2")
    parser.add_argument("--out", type=Path, metavar="FILE.py", help="write it there, and weights beside it")
    parser.add_argument("--onnx", type=Path, metavar="FILE", help="write a checked ONNX model file instead")
    parser.add_argument("--static", action="store_true", help="with --onnx: for 256x256 only, not for any size")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print or write the module, or write the model file."""
    request = options.request(CodeRequest, arguments)
    if "onnx" in arguments:
        from upbench.bench.deploy import model
        from upbench.bench.deploy.request import DeployRequest

        asked = DeployRequest(methods=(request.method,), scales=(request.scale,))
        print(model.write(asked, arguments.onnx, dynamic="static" not in arguments))
        return Ending.OK
    from upbench.bench.jobs import code

    if request.out is not None:
        print("\n".join(map(str, code.write(request))))
        return Ending.OK
    print(code.module(request), end="")
    return Ending.OK
