"""The main job: quality, diagnosis, speed, torch versions and the report, one after the other."""

from pathlib import Path

from upbench.bench.diagnosis import stage as diagnosis
from upbench.bench.errors import UsageError
from upbench.bench.gate import stage as gate
from upbench.bench.gate.request import DuetRequest
from upbench.bench.jobs import front
from upbench.bench.jobs.request import BenchRequest
from upbench.bench.lock import alone_in_its_folder
from upbench.bench.quality import stage as quality
from upbench.bench.speed import stage as speed
from upbench.bench.stage import Ending, Outcome, Progress
from upbench.reports import stage as report
from upbench.reports.request import ReportRequest


@alone_in_its_folder
def run(request: BenchRequest, out: Path, progress: Progress) -> Outcome:
    """Run every stage and write the report; a regression outweighs a failure."""
    endings = [
        quality.run(request.quality, out, progress).ending,
        diagnosis.run(request.diagnosis, out, progress).ending,
        speed.run(request.speed, out, progress).ending,
    ]
    front.run(request, out, progress)
    if request.versions:
        endings.append(_compare(request.versions, out, progress, report_only=request.report_only))
    endings.append(report.run(ReportRequest(folder=out), progress).ending)
    return Outcome(stage="bench", ending=worst(endings))


def worst(endings: list[Ending]) -> Ending:
    """How a job ends whose stages ended so."""
    return Ending.REGRESSION if Ending.REGRESSION in endings else max(endings)


def _compare(request: DuetRequest, out: Path, progress: Progress, *, report_only: bool) -> Ending:
    """The version gate; that it cannot run is no reason to lose the report."""
    try:
        ending = gate.run(request, out, progress).ending
    except UsageError as error:
        progress.warn(f"the torch versions were not compared: {error}")
        return Ending.FAILED
    if ending == Ending.REGRESSION and report_only:
        progress.say("The slower cells are reported only; name versions with --torch to have them fail the run.")
        return Ending.OK
    return ending
