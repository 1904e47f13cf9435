"""The self-check as a stage: prints the checks as a table and writes `selfcheck.json`."""

from dataclasses import asdict
from pathlib import Path

import torch

from upbench.bench import host
from upbench.bench.devices import device
from upbench.bench.lock import alone_in_its_folder
from upbench.bench.selfcheck.checks import Check
from upbench.bench.selfcheck.cpu import cpu_checks
from upbench.bench.selfcheck.request import SelfcheckRequest
from upbench.bench.stage import Ending, Outcome, Progress
from upbench.bench.store import write_json


@alone_in_its_folder
def run(request: SelfcheckRequest, out: Path, progress: Progress) -> Outcome:
    """Hold the clocks against things of known duration and against other timers."""
    if device(request.device).type == "cuda":
        from upbench.bench.selfcheck.cuda import cuda_checks

        checks = cuda_checks(request.device)
    else:
        torch.set_num_threads(1)
        checks = cpu_checks()
    progress.say(table(checks))
    rows = [asdict(check) | {"verdict": check.verdict} for check in checks]
    write_json(out / "selfcheck.json", {"device": request.device, "host": host.fingerprint(), "checks": rows})
    return Outcome(stage="selfcheck", ending=ending(checks), rows=rows)


def ending(checks: list[Check]) -> Ending:
    """OK when every check that ran is within its limit, and one did run."""
    verdicts = {check.verdict for check in checks}
    return Ending.OK if "ok" in verdicts and verdicts <= {"ok", "not run"} else Ending.FAILED


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
