"""`upbench quality`: PSNR and SSIM of every method over a dataset's high/low pairs."""

import argparse
from typing import TYPE_CHECKING

from upbench.bench.cli import options
from upbench.bench.quality.request import QualityRequest
from upbench.bench.stage import Shown

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "quality",
        help="measure PSNR and SSIM over high/low-resolution pairs and write quality.csv",
        example="upbench quality --dataset photos --methods bilinear bicubic --scales 2 4",
    )
    options.add_methods(parser)
    options.add_scales(parser)
    options.add_device(parser)
    options.add_dtypes(parser)
    options.add_quality_options(parser)
    options.add_out(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure every row, write the stage's files."""
    request = options.request(QualityRequest, arguments)
    from upbench.bench.quality import stage

    return stage.run(request, arguments.out, Shown()).ending
