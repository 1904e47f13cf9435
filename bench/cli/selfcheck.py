"""`upbench selfcheck`: hold the clocks against things of known duration and against other timers."""

import argparse
from typing import TYPE_CHECKING

from upbench.bench.cli import options
from upbench.bench.selfcheck.request import SelfcheckRequest
from upbench.bench.stage import Shown

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers

ENDING = """
  upbench selfcheck --device cuda

what it checks:
  cpu   busy waits and a sleep of known length, the bandwidth of a copy measured in two ways, and
        torch.utils.benchmark's timer on three cells
  cuda  spin kernels of known cycles, the bandwidth of a copy measured in two ways, and
        triton.testing.do_bench and torch.utils.benchmark on three cells, which are also measured
        five times anew (not yet run on a GPU)

exit codes:
  0  every check that could run is within its limit
  2  there is no such device
  3  a check is beyond its limit (OFF), or the machine was too busy to tell (noisy), or none could run"""


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "selfcheck",
        help="check the clocks against known durations and other timers -> selfcheck.json",
        example=f"upbench selfcheck{ENDING}",
    )
    options.add_device(parser)
    options.add_out(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check, print the table, write `selfcheck.json`."""
    request = options.request(SelfcheckRequest, arguments)
    from upbench.bench.selfcheck import stage

    return stage.run(request, arguments.out, Shown()).ending
