"""`upbench fleet`: bench, quality, speed, layers or duet on a Ray cluster."""

import argparse
from typing import TYPE_CHECKING, Any

from upbench.bench.cli import bench, duet, layers, options, quality, speed
from upbench.bench.fleet import cluster
from upbench.bench.fleet.request import FleetRequest
from upbench.bench.gate.request import DuetRequest
from upbench.bench.jobs.request import BenchRequest
from upbench.bench.layers.request import LayersRequest
from upbench.bench.quality.request import QualityRequest
from upbench.bench.requests import Request
from upbench.bench.speed.request import SpeedRequest
from upbench.bench.stage import Shown

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers

COMMANDS = (bench, quality, speed, layers, duet)
KINDS = {"quality": QualityRequest, "speed": SpeedRequest, "layers": LayersRequest, "duet": DuetRequest}
OURS = (*bench.OURS, "what", "address", "silence", "patience")

EPILOG = """example:
  upbench fleet --address 10.0.0.5:6379 speed --methods bilinear bicubic --workloads image

Speed, duet, layers and bench run once for each kind of node, alone on its host: their files lie in DIR/KIND. Quality
is shared out over all nodes. Ray is needed: pip install 'upbench[fleet]'. How nodes are started (SLURM, KubeRay, cloud
machines), which ports and tokens, and what it costs: reports/fleet.md.
"""


def add(commands: "SubParsers") -> None:
    """Register the command, and the commands that it takes."""
    help = "run bench, quality, speed, layers or duet on a Ray cluster, by kind of node"
    parser = commands.add_parser(
        "fleet",
        help=help,
        description=help,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--address", metavar="ADDRESS", help="auto, HOST:PORT or ray://HOST:PORT (default: auto)")
    parser.add_argument("--silence", type=float, metavar="T", help="seconds until a node is given up (default: 60)")
    parser.add_argument("--patience", type=float, metavar="T", help="seconds to wait for a busy node (default: 3600)")
    taken = parser.add_subparsers(dest="what", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(taken)
    for one in taken.choices.values():
        one.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run it on the cluster; the exit code is that of the command."""
    request = FleetRequest(**_given(arguments))
    cluster.require()
    from upbench.bench.fleet import stage

    return stage.run(request, arguments.out, Shown()).ending


def _given(arguments: argparse.Namespace) -> dict[str, Any]:
    """The fleet's own options, and the request of the command that it takes."""
    given = vars(arguments)
    asked: Request
    if arguments.what == "bench":
        asked = BenchRequest.of(**{name: value for name, value in given.items() if name not in OURS})
    else:
        asked = options.request(KINDS[arguments.what], arguments)
    return {name: given[name] for name in ("address", "silence", "patience") if name in given} | {arguments.what: asked}
