"""`upbench advise`: which method to use, from an output folder's measurements."""

import argparse
from typing import TYPE_CHECKING

from upbench.bench.cells import WORKLOADS
from upbench.bench.cli import folder, options
from upbench.bench.stage import Ending
from upbench.reports.request import AdviseRequest

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "advise",
        help="say which methods nothing beats in both quality and speed, from a finished run",
        example="upbench advise --workload image --device cpu --min-psnr 26",
    )
    folder.add_folder(parser)
    workload = parser.add_argument("--workload", metavar="NAME", help="default: image")
    options.completes(workload, WORKLOADS)
    parser.add_argument("--min-psnr", type=float, metavar="DB", help="leave out lower PSNR")
    options.add_device(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the front as a table and in sentences, and the faster names of the same pixels."""
    request = options.request(AdviseRequest, arguments)
    from upbench.reports.stage import advise

    print(advise(request).text())
    return Ending.OK
