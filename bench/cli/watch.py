"""`upbench watch`: did a night change the series?"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from upbench.bench.cli import gate_options, options
from upbench.bench.gate.ci.requests import WatchRequest
from upbench.bench.stage import Shown

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "watch",
        help="append a comparison with a pinned release to history.csv, and find changes in the series",
        example="upbench watch --history history.csv --anchor 2.14.0 --candidate 2.16.0",
    )
    parser.add_argument("folders", nargs="*", type=Path, metavar="DIR", help="tonight's output folders of upbench duet")
    parser.add_argument("--history", type=Path, metavar="FILE", help="default: history.csv")
    parser.add_argument("--anchor", metavar="PY", help="the pinned release, to measure now")
    parser.add_argument("--candidate", nargs="+", metavar="PY", help="what is measured against it now")
    parser.add_argument("--confirm", type=int, metavar="N", help="nights that have to agree on a change (default: 3)")
    parser.add_argument("--by", choices=["gate", "ruptures"], help="how changes are found (default: gate)")
    parser.add_argument("--bisect", action="store_true", help="look for the release behind a new change")
    options.add_methods(parser)
    options.add_scales(parser)
    options.add_device(parser)
    gate_options.add_gate_options(parser)
    options.add_out(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Append and look; the exit code is 1 where tonight settles that a cell has become slower."""
    given = {name: value for name, value in vars(arguments).items() if name not in ("command", "run", "out")}
    request = WatchRequest.of(**given)
    from upbench.bench.gate.ci import watch_stage

    return watch_stage.run(request, arguments.out, Shown()).ending
