"""`upbench speed`: time every cell through the pytest-benchmark suite, in a process of its own."""

import argparse
from typing import TYPE_CHECKING

from upbench.bench.cli import options
from upbench.bench.speed.request import BATCHES, SpeedRequest
from upbench.bench.stage import Shown

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "speed",
        help="time methods over workloads and write speed.json (pytest-benchmark's format)",
        example="upbench speed --methods bilinear bicubic --workloads cifar image --scales 2",
    )
    options.add_methods(parser)
    options.add_scales(parser)
    options.add_device(parser)
    options.add_dtypes(parser)
    options.add_speed_options(parser)
    parser.add_argument(
        "--sweep",
        nargs="*",
        type=options.positive,
        metavar="N",
        help=f"instead, each workload with these batch sizes -> sweep.json (default: {' '.join(map(str, BATCHES))})",
    )
    options.add_out(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure every cell, write `speed.json` or `sweep.json`."""
    request = options.request(SpeedRequest, arguments)
    from upbench.bench.speed import stage

    return stage.run(request, arguments.out, Shown()).ending
