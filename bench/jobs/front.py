"""The main job's duets: the pairs of methods that decide what to use, each measured in turn -> `front.json`.

And the methods of those pairs in a plain process, against memory held still -> `allocators.json`.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from upbench.bench.adapters import absolute
from upbench.bench.gate import allocators
from upbench.bench.gate.request import ENVIRONMENTS
from upbench.bench.gate.sides.side import Question
from upbench.bench.gate.versus import Versus, ratios
from upbench.bench.jobs.request import BenchRequest
from upbench.bench.stage import Progress
from upbench.bench.workers.pipes import WorkerError
from upbench.reports import advice
from upbench.reports.duels import cell_of
from upbench.reports.frame import ReportError, Run, read
from upbench.reports.report import Report

TIE = 0.05  # methods whose times differ by less share a place
PLAIN_SHARE = 0.3  # of the time, at least, for the same methods in a plain process
MOST_CELLS = 6  # of those
MOST_PAIRS = 6  # more would each get too few pairs of processes in the time


def run(request: BenchRequest, out: Path, progress: Progress) -> None:
    """Measure what the report is going to compare; that it cannot be measured is no reason to lose the report."""
    if not request.front_budget:
        return
    try:
        pairs = deciding(request, read(out))
        if pairs:
            progress.say(f"front: {len(pairs)} pairs of methods in turn, at most {request.front_budget:.0f} s")
            start, budget = time.monotonic(), request.front_budget
            ratios(pairs, out, budget=(1 - PLAIN_SHARE) * budget, precision=None, tie=TIE, progress=progress)
            left = budget - (time.monotonic() - start)
            if left > 0:
                progress.say(f"front: the same methods in a plain process, at most {left:.0f} s")
                allocators.compare(alone(pairs), out, left, ENVIRONMENTS, progress)
    except (WorkerError, ReportError) as error:
        progress.warn(f"methods were not compared by duets: {error}")


def alone(pairs: Sequence[Versus]) -> list[Question]:
    """Each method of the pairs by itself, on its workload; those that people call today come first."""
    named = [*((pair.cell, pair.baseline) for pair in pairs), *((pair.cell, pair.candidate) for pair in pairs)]
    cells = [(replace(cell, method=method.rpartition(":")[2]).name, method) for cell, method in named]
    return [Question(name=name, method=method) for name, method in dict.fromkeys(cells)][:MOST_CELLS]


def deciding(request: BenchRequest, found: Run) -> list[Versus]:
    """The pairs that decide, of every workload in turn."""
    sources = {spec.rpartition(":")[2]: absolute(spec) for spec in request.quality.method}
    report = Report(run=found)
    by_workload = [
        [
            Versus(cell=cell_of(found.speed, name), baseline=sources.get(one, one), candidate=sources.get(other, other))
            for one, other in advice.deciding(report, name)
        ]
        for name in report.fronts
    ]
    longest = max(map(len, by_workload), default=0)
    return [pairs[place] for place in range(longest) for pairs in by_workload if place < len(pairs)][:MOST_PAIRS]
