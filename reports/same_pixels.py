"""The same pixels, sooner: for torch's own names, the fastest name of their pixels."""

from upbench.reports import numbers
from upbench.reports.front_table import MOST
from upbench.reports.report import Report
from upbench.reports.survey import Image, Name
from upbench.reports.words import (
    Block,
    Words,
    code,
    heading,
    say,
    table,
)


def blocks(report: Report) -> list[Block]:
    """For torch's own names: the fastest name of the same pixels on each workload."""
    rows = []
    for image in report.survey.images:
        called = torchs(image)
        if called and len(image.names) > 1 and called.times:
            rows.append([code(called.name), *(_fastest(report, image, called, name) for name in report.workloads)])
    if not rows:
        return []
    titles = ["you call", *(report.short(name) for name in report.workloads)]
    return [heading("The same pixels, sooner", 3), table(titles, rows[:MOST], "l" * len(titles))]


def torchs(image: Image) -> Name | None:
    """The name of torch's own that gives the image, its title where that is one."""
    named = image.called(image.title)
    own = [name for name in image.names if name.family == "torch"]
    return named if named in own else next(iter(own), None)


def quicker(report: Report, called: Name, fastest: Name, workload: str) -> str:
    """How many times faster than the call, by their duet where they had one; nothing where it is not certain."""
    duel = report.duels.get((workload, called.name, fastest.name))
    if duel is not None:
        ends = f"{numbers.times(1 / duel.high)[:-1]} to {numbers.times(1 / duel.low)[:-1]}"
        return f"{numbers.times(1 / duel.ratio)} ({ends})" if duel.high < 1 else ""
    mine, theirs = called.times[workload], fastest.times[workload]
    return numbers.factor(mine, theirs) if theirs.shorter(mine) else ""


def _fastest(report: Report, image: Image, called: Name, workload: str) -> Words:
    fastest = image.fastest(workload)
    if not fastest or workload not in called.times:
        return ()
    factor = quicker(report, called, fastest, workload)
    return say("{} {}", code(fastest.name), factor) if factor else say("keep it")
