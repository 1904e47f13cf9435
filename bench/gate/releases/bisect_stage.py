"""The search for the release that changed a cell, as a stage -> `bisect.json`."""

import functools
from pathlib import Path

from upbench.bench.adapters import absolute
from upbench.bench.cells import Cell
from upbench.bench.errors import FailedError, UsageError
from upbench.bench.gate import comparison, outcome
from upbench.bench.gate.gate import Gate, Settings
from upbench.bench.gate.releases import bisect
from upbench.bench.gate.releases.request import BisectRequest
from upbench.bench.gate.sides.environments import environments
from upbench.bench.gate.sides.side import Question, Side
from upbench.bench.lock import alone_in_its_folder
from upbench.bench.stage import Ending, Outcome, Progress
from upbench.bench.store import Journal, write_json
from upbench.bench.workers.launch import take_snapshot
from upbench.bench.workers.pipes import WorkerError


@alone_in_its_folder
def run(request: BisectRequest, out: Path, progress: Progress) -> Outcome:
    """Find the changes and say each with commands that show it again; a change counts as a regression."""
    cell = Cell.parse(request.cell)
    question = Question(name=cell.name, method=absolute(request.method) if request.method else cell.method)
    releases = _releases(request)
    done: list[outcome.Record] = []
    compare = functools.cache(functools.partial(_compare, request, out, progress, question, done))
    try:
        found = bisect.find_changes(releases, request.threshold, compare)
    except (FailedError, WorkerError) as error:
        progress.warn(f"it could not be found: {error}")
        return Outcome(stage="bisect", ending=Ending.FAILED)
    finally:
        if done:
            write_json(out / "bisect.json", {"comparisons": done})
    for change in found:
        amount = f"time x{change.amount:.3f}" if change.what == "time" else f"pixels by up to {change.amount:.2g}"
        progress.say(f"\n{cell.name}: {amount} between {change.before} and {change.after}\n")
        progress.say(bisect.script(cell.name, question.method, change))
    if not found:
        progress.say(f"{cell.name}: neither time nor pixels changed.")
    return Outcome(stage="bisect", ending=Ending.REGRESSION if found else Ending.OK)


def _releases(request: BisectRequest) -> list[str]:
    if request.releases:
        return [request.good, *request.releases, request.bad]
    try:
        return bisect.minor_releases(request.good, request.bad)
    except FailedError as error:
        raise UsageError(str(error)) from error


def _compare(
    request: BisectRequest,
    out: Path,
    progress: Progress,
    question: Question,
    done: list[outcome.Record],
    release: str,
    threshold: float,
) -> outcome.Record:
    """One duet of the good release with another; its row."""
    ends = environments([request.good, release], request.environments)
    settings = Settings(
        threshold=threshold,
        budget=request.budget,
        timeout=request.timeout,
        threads=Cell.parse(question.name).threads,
    )
    snapshot = take_snapshot(request.environments)
    sides = [Side(label=each.label, python=each.python) for each in ends]
    gate = Gate(sides, [question], settings, snapshot, lambda line: None)
    journal = Journal(
        out / "bisect.journal",
        {"cell": question.name, "ends": [str(each.python) for each in ends], "threshold": threshold},
    )
    gate.run(journal, release)
    done.append(comparison.record(gate, (ends[0], ends[1])))
    journal.finish()
    row: outcome.Record = done[-1]["cells"][0]
    progress.say(f"{ends[0].label} -> {ends[1].label}, threshold {threshold:.1%}: {outcome.sentence(row)}")
    return row
