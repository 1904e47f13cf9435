"""The report as a stage, and advice: from a run's files to a page in two editions, to a table, to sentences."""

from pathlib import Path

from upbench.bench.errors import UsageError
from upbench.bench.stage import Ending, Outcome, Progress
from upbench.reports import advice, frame, front_table, joined, layers_page, markdown, page
from upbench.reports.report import Report
from upbench.reports.request import AdviseRequest, ReportRequest


def read(folder: Path) -> frame.Run:
    """What the run in a folder measured; raises `UsageError` where the folder cannot be reported on."""
    try:
        return frame.read(folder)
    except frame.ReportError as error:
        raise UsageError(str(error)) from error


def run(request: ReportRequest, progress: Progress) -> Outcome:
    """Write the report; say its first table and where the report lies."""
    if request.others:
        runs = [read(folder) for folder in (request.folder, *request.others)]
        progress.say(f"report: {joined.write(runs, request.joined, html=request.html)}")
        return Outcome(stage="report", ending=Ending.OK)
    found = read(request.folder)
    path = page.write(found, html=request.html)
    if (request.folder / "layers.json").is_file():
        layers_page.write(request.folder)
    report = Report(run=found)
    for workload in report.fronts[:1]:
        progress.say("\n" + markdown.write(front_table.front_table(report, workload)))
    progress.say(f"report: {path}")
    return Outcome(stage="report", ending=Ending.OK)


def advise(request: AdviseRequest) -> advice.Advice:
    """The methods that nothing beats; raises `UsageError` where the run does not tell."""
    return advice.advise(read(request.folder), request)
