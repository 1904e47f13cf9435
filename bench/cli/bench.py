"""`upbench bench`: quality, diagnosis, speed, torch versions and the report, one after the other."""

import argparse
from typing import TYPE_CHECKING

from upbench.bench.cli import gate_options, options
from upbench.bench.jobs.request import BenchRequest
from upbench.bench.stage import Shown

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers

OURS = ("command", "run", "out")  # what the namespace holds besides the request


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "bench",
        help="the main job: quality, diagnosis, speed, torch versions, and the report",
        example="upbench bench --methods bilinear bicubic --scales 2 --device cpu --torch 2.14.0 2.15.0",
    )
    options.add_methods(parser)
    options.add_scales(parser)
    options.add_device(parser)
    options.add_dtypes(parser)
    options.add_quality_options(parser)
    options.add_speed_options(parser)
    parser.add_argument(
        "--front-budget",
        type=gate_options.seconds_or_none,
        metavar="TIME",
        help="for duets of the methods that decide what to use; 0 leaves them out (default: 40s)",
    )
    gate = parser.add_argument_group("torch versions")
    gate.add_argument(
        "--torch", nargs="+", metavar="VERSION", help="releases, pythons or environments; each against the first"
    )
    gate.add_argument(
        "--threshold", type=gate_options.share, metavar="SHARE", help="smallest slowdown to report (default: 3%%)"
    )
    gate.add_argument(
        "--budget", type=gate_options.seconds, metavar="TIME", help="time for each comparison (default: 45s)"
    )
    gate.add_argument("--report-only", action="store_true", help="a slower torch is reported, not an exit code of 1")
    options.add_out(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run every stage and write the report; a wrong name is told before anything is measured."""
    request = BenchRequest.of(**{name: value for name, value in vars(arguments).items() if name not in OURS})
    from upbench.bench.jobs import main

    return main.run(request, arguments.out, Shown()).ending
