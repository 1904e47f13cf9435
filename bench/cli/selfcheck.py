"""`upbench selfcheck`: hold the clocks against things of known duration and against other timers."""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

import torch

from upbench.bench import host
from upbench.bench.cli import options
from upbench.bench.selfcheck import cpu
from upbench.bench.selfcheck.checks import Check
from upbench.bench.store import write_json

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
    if options.device(arguments.device).type == "cuda":
        from upbench.bench.selfcheck.cuda import cuda_checks

        checks = cuda_checks(arguments.device)
    else:
        torch.set_num_threads(1)
        checks = cpu.cpu_checks()
    print(table(checks))
    rows = [asdict(check) | {"verdict": check.verdict} for check in checks]
    document = {"device": arguments.device, "host": host.fingerprint(), "checks": rows}
    write_json(arguments.out / "selfcheck.json", document)
    return exit_code(checks)


def exit_code(checks: list[Check]) -> int:
    """0 when every check that ran is within its limit, and one did run."""
    verdicts = {check.verdict for check in checks}
    return options.EXIT_OK if "ok" in verdicts and verdicts <= {"ok", "not run"} else options.EXIT_FAILED


def table(checks: list[Check]) -> str:
    """The checks as lines of text."""
    width = max(len(check.what) for check in checks)
    head = f"{'check':{width}}  {'expected':>12}  {'measured':>12}  {'error':>7}  {'spread':>6}  {'limit':>5}  verdict"
    return "\n".join([head, *(_line(check, width) for check in checks)])


def _line(check: Check, width: int) -> str:
    if check.error is None:
        return f"{check.what:{width}}  {'':12}  {'':12}  {'':7}  {'':6}  {check.limit:5.0%}  not run: {check.reason}"
    return (
        f"{check.what:{width}}  {_number(check.expected, check.unit):>12}  {_number(check.measured, check.unit):>12}"
        f"  {check.error:+7.2%}  {check.spread:6.2%}  {check.limit:5.0%}  {check.verdict}"
    )


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    return f"{value * 1e3:.5g} ms" if unit == "s" else f"{value:.4g} {unit}"
