"""`upbench upsample` and `upbench panel`: methods on a person's own picture."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from upbench.bench.cli import options
from upbench.bench.jobs.picture_request import PanelRequest, UpsampleRequest
from upbench.bench.stage import Shown

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers


def add(commands: "SubParsers") -> None:
    """Register both commands."""
    one = options.add_command(
        commands,
        "upsample",
        help="upsample one picture with one method",
        example="upbench upsample in.png out.png --method bicubic --scale 4",
    )
    one.add_argument("--method", required=True, metavar="NAME", help="a method's name, or FILE.py:FACTORY")
    one.set_defaults(run=run_upsample)
    many = options.add_command(
        commands,
        "panel",
        help="a labelled side-by-side of methods on one picture, with the same zoomed crop for each",
        example="upbench panel in.png out.png --methods nearest bilinear bicubic --scale 4",
    )
    options.add_methods(many)
    many.set_defaults(run=run_panel)
    for parser in (one, many):
        parser.add_argument("input", type=Path, metavar="IN.png", help="the picture to upsample")
        parser.add_argument("output", type=Path, metavar="OUT.png", help="where to write the result")
        parser.add_argument("--scale", type=options.scale_factor, metavar="S", help="default: 2")
        options.add_device(parser)


def run_upsample(arguments: argparse.Namespace) -> int:
    """Upsample one picture; depth and transparency are kept."""
    request = options.request(UpsampleRequest, arguments)
    from upbench.bench.jobs import pictures

    return pictures.upsample(request, Shown()).ending


def run_panel(arguments: argparse.Namespace) -> int:
    """Draw the picture and every method's version of it; a method that cannot is named with its reason."""
    request = options.request(PanelRequest, arguments)
    from upbench.bench.jobs import pictures

    return pictures.panels(request, Shown()).ending
