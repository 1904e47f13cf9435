"""The version gate as a stage -> `versions.json`: live versions compared, or a baseline kept, or held against."""

from pathlib import Path
from typing import Any

from upbench.bench import host
from upbench.bench.errors import UsageError
from upbench.bench.gate import baseline, comparison, counter, github, outcome
from upbench.bench.gate.duet import Question, Side
from upbench.bench.gate.environments import Environment, environment
from upbench.bench.gate.gate import Gate, Settings
from upbench.bench.gate.request import DuetRequest
from upbench.bench.stage import Ending, Outcome, Progress
from upbench.bench.store import Journal, write_json
from upbench.bench.workers.launch import take_snapshot, worker_environment
from upbench.bench.workers.pipes import WorkerError


def run(request: DuetRequest, out: Path, progress: Progress) -> Outcome:
    """Do what is asked; a worker that cannot be started at all is a failure of the whole."""
    try:
        if request.save_baseline:
            return _save_baseline(request, request.save_baseline, progress)
        compare = _against if request.against else _live
        return conclude(compare(request, out, progress), progress)
    except WorkerError as error:
        progress.warn(f"nothing could be measured: {error}")
        return Outcome(stage="duet", ending=Ending.FAILED)


def questions(request: DuetRequest) -> list[Question]:
    """The cells to compare, with where each one's method is."""
    sources = request.sources()
    return [Question(name=cell.name, method=sources[cell.method]) for cell in request.cells()]


def settings(request: DuetRequest) -> Settings:
    """What a comparison is told."""
    return Settings(
        threshold=request.threshold, budget=request.budget, timeout=request.timeout, threads=request.threads
    )


def _live(request: DuetRequest, out: Path, progress: Progress) -> list[outcome.Record]:
    """Compare each candidate with the baseline, both alive, and write `versions.json`."""
    asked, planted = questions(request), request.planted()
    for method, factor in planted.items():
        progress.say(f"PLANTED: the candidate does {factor:g} times the work in {method}.")
    found = [environment(name, request.environments) for name in (str(request.baseline), *request.candidate)]
    snapshot = take_snapshot(request.environments)
    journal = Journal(out / "versions.journal", _asked(request, found, snapshot))
    comparisons = []
    for number, candidate in enumerate(found[1:], 1):
        progress.say(f"torch {found[0].label} -> {candidate.label}: {len(asked)} cells")
        sides = [
            Side(label=f"baseline {found[0].label}", python=found[0].python),
            Side(label=f"candidate {candidate.label}", python=candidate.python, planted=planted),
        ]
        gate = Gate(sides, asked, settings(request), snapshot, lambda line: progress.say(f"  {line}"))
        gate.run(journal, str(number))
        comparisons.append(comparison.record(gate, (found[0], candidate)))
        if request.counter:
            _count(comparisons[-1], (found[0], candidate), snapshot, progress)
    write_json(out / "versions.json", {"comparisons": comparisons})
    journal.finish()
    return comparisons


def _count(compared: outcome.Record, ends: tuple[Environment, Environment], snapshot: Path, progress: Progress) -> None:
    """Add instruction counts to every cell that was measured."""
    variables = worker_environment(snapshot, 1)
    for cell in compared["cells"]:
        if cell["ratio"] is not None:
            progress.say(f"  instructions: {cell['cell']}")
            question = Question(name=cell["cell"], method=cell["method"])
            cell["instructions"] = counter.compare((ends[0].python, ends[1].python), variables, question)


def _save_baseline(request: DuetRequest, file: Path, progress: Progress) -> Outcome:
    known, found = _alone(request, str(request.baseline), progress)
    write_json(file, baseline.document(known, found))
    cells = list(found["cells"].values())
    kept = sum("verdict" not in cell for cell in cells)
    progress.say(f"baseline: {kept} of {len(cells)} cells kept in {file}.")
    failed = any(cell.get("verdict") == "FAILED" for cell in cells)
    return Outcome(stage="duet", ending=Ending.FAILED if failed else Ending.OK, rows=cells)


def _against(request: DuetRequest, out: Path, progress: Progress) -> list[outcome.Record]:
    """Compare each candidate with a stored baseline, and write `versions.json`."""
    stored = baseline.read(Path(str(request.against)))
    comparisons = []
    for version in request.candidate:
        candidate, found = _alone(request, version, progress)
        baseline.check_host(stored, found)
        comparisons.append(baseline.comparison(stored, candidate, found, settings(request)))
    write_json(out / "versions.json", {"comparisons": comparisons})
    return comparisons


def _alone(request: DuetRequest, version: str, progress: Progress) -> tuple[Environment, outcome.Record]:
    """One version measured by itself."""
    asked = questions(request)
    known = environment(version, request.environments)
    progress.say(f"torch {known.label} alone: {len(asked)} cells")
    side = Side(label=known.label, python=known.python)
    snapshot = take_snapshot(request.environments)
    say = lambda line: progress.say(f"  {line}")  # noqa: E731 # the gate's own lines stand below ours
    return known, baseline.measure(side, asked, settings(request), snapshot, say)


def conclude(comparisons: list[outcome.Record], progress: Progress) -> Outcome:
    """Say what was found, tell GitHub, and how it ended: a regression outweighs a failure.

    Raises `UsageError` where a version compared with itself shows the threshold to be under the noise.
    """
    for each in comparisons:
        progress.say(f"\n{github.line(each)}")
        for cell in outcome.by_severity(each):
            progress.say(f"  {outcome.sentence(cell)}")
    github.publish(comparisons)
    rows = [cell for each in comparisons for cell in each["cells"]]
    if any(outcome.regressed(each) for each in comparisons):
        return Outcome(stage="duet", ending=Ending.REGRESSION, rows=rows)
    if any(outcome.unmeasured(each) for each in comparisons):
        return Outcome(stage="duet", ending=Ending.FAILED, rows=rows)
    if refusals := [text for each in comparisons if (text := outcome.refused(each))]:
        raise UsageError(refusals[0])
    return Outcome(stage="duet", ending=Ending.OK, rows=rows)


def _asked(request: DuetRequest, found: list[Environment], snapshot: Path) -> dict[str, Any]:
    """What must be the same for an interrupted comparison to be gone on with."""
    return {
        "request": request.to_json(),
        "versions": [{"python": str(each.python), "torch": each.torch} for each in found],
        "code": snapshot.name,
        "cpu": host.cpu_model(),
    }
