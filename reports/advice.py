"""What to use, for people and for programs: the front of a workload as a table and in sentences."""

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import pandas as pd

from upbench.bench.errors import UsageError
from upbench.reports import front_table, markdown, same_pixels
from upbench.reports.frame import Run
from upbench.reports.report import Report
from upbench.reports.request import AdviseRequest
from upbench.reports.words import Words, code, say

WORTH_NAMING = 1.1  # a speed-up that is worth a change of code


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """The front, fastest first (`method`, `psnr_db`, `ssim`, `ms`), and what it means in sentences."""

    front: pd.DataFrame
    sentences: list[str]
    table: str

    def text(self) -> str:
        """Both as markdown."""
        return "\n".join([self.table, *(f"- {line}" for line in self.sentences)])


def advise(run: Run, request: AdviseRequest) -> Advice:
    """The images that nothing beats on a workload; raises `UsageError` where the run does not tell."""
    speed = run.speed[run.speed["device"] == request.device] if len(run.speed) else run.speed
    report = Report(run=replace(run, speed=speed))
    found = report.survey
    if not found.rated(request.workload):
        raise UsageError(
            f"{request.folder} has no quality and speed of the same methods for {request.workload} on"
            f" {request.device}; run `upbench bench --workloads {request.workload} --device {request.device}`."
        )
    groups = [
        [image for image in group if image.psnr_db >= request.min_psnr] for group in found.front(request.workload)
    ]
    rows = [
        {
            "method": name.name,
            "psnr_db": image.psnr_db,
            "ssim": image.ssim,
            "ms": name.times[request.workload].middle * 1e3,
        }
        for group in groups
        for image in group
        if (name := image.fastest(request.workload))
    ]
    if not rows:
        best = max(image.psnr_db for image in found.rated(request.workload))
        raise UsageError(f"No method reaches {request.min_psnr:g} dB here; the best has {best:.2f} dB.")
    kept = [group for group in groups if group]
    table = markdown.write(
        front_table.front_table(report, request.workload, None if math.isinf(request.min_psnr) else kept)
    )
    sentences = [markdown.markdown(line) for line in sooner(report, request.workload)]
    return Advice(front=pd.DataFrame(rows), sentences=sentences, table=table)


def sooner(report: Report, workload: str) -> list[Words]:
    """ "You call X; Y gives the same pixels N times faster", for torch's own names that something beats."""
    lines = []
    for image in report.survey.images:
        called, fastest = same_pixels.torchs(image), image.fastest(workload)
        factor = same_pixels.quicker(report, called, fastest, workload) if called and fastest and called.times else ""
        if called and fastest and factor:
            lines.append(
                say("You call {}; {} gives the same pixels {} faster.", code(called.name), code(fastest.name), factor)
            )
    return lines


def deciding(report: Report, workload: str) -> list[tuple[str, str]]:
    """The pairs that decide what to use: what is called and what is faster, then neighbours on the front."""
    switches = []
    for image in report.survey.images:
        called, fastest = same_pixels.torchs(image), image.fastest(workload)
        if not (called and fastest) or called is fastest or workload not in called.times:
            continue
        if called.times[workload].middle >= WORTH_NAMING * fastest.times[workload].middle:
            switches.append((called.name, fastest.name))
    groups = report.survey.front(workload)
    names = [image.quickest(workload)[0].name for group in groups for image in group]
    return list(dict.fromkeys([*switches, *pairwise(names)]))
