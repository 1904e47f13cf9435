"""The report as a stage, and advice: from a run's files to `report.md`, to a table, to sentences."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from upbench.bench.errors import UsageError
from upbench.bench.stage import Ending, Outcome, Progress
from upbench.bench.store import write_text
from upbench.reports import advice, frame, headline, page, tables
from upbench.reports.request import AdviseRequest, ReportRequest


def read(folder: Path) -> frame.Run:
    """What the run in a folder measured; raises `UsageError` where the folder cannot be reported on."""
    try:
        return frame.read(folder)
    except frame.ReportError as error:
        raise UsageError(str(error)) from error


def run(request: ReportRequest, progress: Progress) -> Outcome:
    """Write the report; say the headline table and where the report lies."""
    found = read(request.folder)
    path = request.folder / "report.md"
    write_text(path, page.compose(found))
    if table := headline.headline(found):
        progress.say(f"\n{table}\n")
    progress.say(f"report: {path}")
    return Outcome(stage="report", ending=Ending.OK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """The front, fastest first (`method`, `psnr_db`, `ssim`, `ms`), and what it means in sentences."""

    front: pd.DataFrame
    sentences: list[str]

    def text(self) -> str:
        """Both as markdown."""
        table = tables.markdown(self.front, {"psnr_db": ".2f", "ssim": ".4f", "ms": ".3g"})
        return "\n".join([table, "", *(f"- {line}" for line in self.sentences)])


def advise(request: AdviseRequest) -> Advice:
    """The methods that nothing beats; raises `UsageError` where the run does not tell."""
    found = read(request.folder)
    speed = found.speed[found.speed["device"] == request.device] if len(found.speed) else found.speed
    points = advice.candidates(found.quality, speed, request.workload)
    if points.empty:
        raise UsageError(
            f"{request.folder} has no quality and speed of the same methods for {request.workload} on"
            f" {request.device}; run `upbench bench --workloads {request.workload} --device {request.device}`."
        )
    front = advice.front(points, request.min_psnr)
    if front.empty:
        best = points["psnr_db"].max()
        raise UsageError(f"No method reaches {request.min_psnr:g} dB here; the best has {best:.2f} dB.")
    shown = front.assign(ms=front["seconds"] * 1e3)[["method", "psnr_db", "ssim", "ms"]]
    duels = advice.on_workload(found, request.workload)
    return Advice(front=shown, sentences=[*advice.sentences(front, duels), *advice.switch_sentences(points, duels)])
