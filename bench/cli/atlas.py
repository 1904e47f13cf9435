"""`upbench atlas`: what did each release of torch change?"""

import argparse
from typing import TYPE_CHECKING

from upbench.bench.adapters import discover
from upbench.bench.cells import DTYPES, STEPS, WORKLOADS
from upbench.bench.cli import gate_options, options
from upbench.bench.gate.releases.request import AtlasRequest
from upbench.bench.stage import Shown

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "atlas",
        help="each release of torch against the next: time, pixels, memory; about an hour, and 10 GB of disk",
        example="upbench atlas --releases 2.13.0 2.14.0 2.15.0 --methods bilinear bicubic",
    )
    parser.add_argument(
        "--releases", nargs="+", metavar="VERSION", help="in order (default: each minor release from 2.0 to this one)"
    )
    methods = parser.add_argument("--methods", nargs="+", metavar="NAME", help="default: those of upbench duet")
    options.completes(methods, discover)
    options.add_scales(parser)
    workloads = parser.add_argument(
        "--workloads", nargs="+", metavar="NAME", help=f"default: {' '.join(AtlasRequest().workloads)}"
    )
    options.completes(workloads, WORKLOADS)
    parser.add_argument("--dtypes", nargs="+", choices=DTYPES, help="default: float32")
    parser.add_argument(
        "--pass", nargs="+", choices=STEPS, dest="passes", help="forward, train, or both (default: both)"
    )
    parser.add_argument("--threads", nargs="+", type=options.positive, metavar="N", help="CPU threads (default: 1)")
    parser.add_argument("--python", metavar="VERSION", help="the interpreter of environments that have to be made")
    parser.add_argument(
        "--no-edges", action="store_false", dest="edges", help="leave out the edges of the space of shapes"
    )
    parser.add_argument(
        "--keep-environments",
        action="store_true",
        help="keep what is made, 5 GB a release (default: two at a time, removed when they are no longer needed)",
    )
    gate_options.add_closeness(parser.add_argument_group("gate"), budget="160s")
    options.add_out(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Make the atlas."""
    request = options.request(AtlasRequest, arguments)
    from upbench.bench.gate.releases import atlas

    return atlas.run(request, arguments.out, Shown()).ending
