"""The GPU's job: the self-check, quality, speed on every axis, a sweep and the report, inside a given time."""

import time
from pathlib import Path

from upbench.bench.cells import Cell
from upbench.bench.devices import device
from upbench.bench.jobs.request import GpuRequest
from upbench.bench.lock import alone_in_its_folder
from upbench.bench.quality import stage as quality
from upbench.bench.selfcheck import stage as selfcheck
from upbench.bench.selfcheck.request import SelfcheckRequest
from upbench.bench.speed import stage as speed
from upbench.bench.stage import Outcome, Progress
from upbench.reports import stage as report
from upbench.reports.request import ReportRequest

SPEED_SHARE, SWEEP_SHARE = 0.75, 0.92  # of the time, at which these stages begin no further cell


@alone_in_its_folder
def run(request: GpuRequest, out: Path, progress: Progress) -> Outcome:
    """Run the stages and write the report; the worst ending counts."""
    device(request.device)
    start, seconds = time.monotonic(), 60 * request.minutes
    sweep = request.sweep()
    outcomes = [
        selfcheck.run(SelfcheckRequest(device=request.device), out, progress),
        quality.run(request.quality(), out, progress),
        speed.measure(request.speed(), out, cells(request), progress, until=start + SPEED_SHARE * seconds),
        speed.measure(sweep, out, sweep.cells(), progress, until=start + SWEEP_SHARE * seconds),
        report.run(ReportRequest(folder=out), progress),
    ]
    progress.say(f"gpu: {(time.monotonic() - start) / 60:.1f} minutes.")
    return Outcome(stage="gpu", ending=max(outcome.ending for outcome in outcomes))


def cells(request: GpuRequest) -> list[Cell]:
    """The cells of all its speed requests, each once, in their order."""
    return list(dict.fromkeys(cell for asked in request.speeds() for cell in asked.cells()))
