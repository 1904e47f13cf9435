"""`upbench gpu`: everything there is to measure on a GPU, inside a given time, and the report."""

import argparse
from typing import TYPE_CHECKING

from upbench.bench.cli import options
from upbench.bench.jobs.request import GpuRequest
from upbench.bench.stage import Shown

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers

NOTE = """
  upbench gpu --minutes 20 --out measured

what it measures, in this order, as far as the time allows:
  the self-check of the clocks; quality on the embedded photos; speed of every method on six workloads in float32;
  of a few methods in float16, bfloat16 and uint8, in channels_last, forward and backward, and compiled; a sweep over
  batch sizes.
It needs no network. Cells that the time did not reach are rows that say so. It has not run on a GPU yet.

exit codes:
  0  all measured
  2  there is no such device
  3  some cells failed, or the self-check did"""


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands, "gpu", help="the whole GPU part inside ten minutes, and the report", example=f"upbench gpu{NOTE}"
    )
    parser.add_argument("--device", help="cuda or cuda:N (default: cuda)")
    parser.add_argument("--minutes", type=float, metavar="T", help="default: 9.5")
    options.add_methods(parser)
    options.add_out(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the stages and write the report."""
    request = options.request(GpuRequest, arguments)
    from upbench.bench.jobs import gpu

    return gpu.run(request, arguments.out, Shown()).ending
