"""`upbench bench`: quality, speed and the report, one after the other."""

import argparse
from typing import TYPE_CHECKING

from upbench.bench.cli import options, quality, report, speed

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "bench",
        help="the main job: quality, speed, and the report",
        example="upbench bench --methods bilinear bicubic --scales 2 --device cpu",
    )
    options.add_methods(parser)
    options.add_scales(parser)
    options.add_device(parser)
    options.add_quality_options(parser)
    options.add_speed_options(parser)
    options.add_out(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run every stage; the exit code is the worst of them."""
    speed.planned(arguments)  # a wrong name is told before anything is measured
    worst = max(quality.run(arguments), speed.run(arguments))
    return max(worst, report.run(argparse.Namespace(folder=arguments.out)))
