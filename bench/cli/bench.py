"""`upbench bench`: quality, diagnosis, speed and the report, one after the other."""

import argparse
from typing import TYPE_CHECKING

from upbench.bench.cli import diagnose, options, quality, report, speed

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "bench",
        help="the main job: quality, diagnosis, speed, and the report",
        example="upbench bench --methods bilinear bicubic --scales 2 --device cpu",
    )
    options.add_methods(parser)
    options.add_scales(parser)
    options.add_device(parser)
    options.add_dtypes(parser)
    options.add_quality_options(parser)
    options.add_speed_options(parser)
    options.add_out(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run every stage; the exit code is the worst of them."""
    speed.planned(arguments)  # a wrong name is told before anything is measured
    codes: list[int] = [stage.run(arguments) for stage in (quality, diagnose, speed)]
    return max(*codes, report.run(argparse.Namespace(folder=arguments.out)))
