"""`upbench diagnose`: what a mean PSNR hides, measured on synthetic targets."""

import argparse
from typing import TYPE_CHECKING

from upbench.bench.cli import options
from upbench.bench.diagnosis.request import DiagnosisRequest
from upbench.bench.stage import Shown

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "diagnose",
        help="measure shift, gain, overshoot, checkerboard and frequency response, and write diagnostics.csv",
        example="upbench diagnose --methods bicubic bicubic-align-corners transposed-random",
    )
    options.add_methods(parser)
    options.add_scales(parser)
    options.add_device(parser)
    options.add_out(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure every method at every scale."""
    request = options.request(DiagnosisRequest, arguments)
    from upbench.bench.diagnosis import stage

    return stage.run(request, arguments.out, Shown()).ending
