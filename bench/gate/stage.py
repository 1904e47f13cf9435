"""The gate as a stage -> `versions.json`: live sides compared, or a baseline kept, or held against."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from upbench.bench.adapters import digests
from upbench.bench.errors import UsageError
from upbench.bench.gate import baseline, comparison, counter, outcome
from upbench.bench.gate.ci import github
from upbench.bench.gate.edges import words as edge_words
from upbench.bench.gate.gate import Gate, Settings
from upbench.bench.gate.pairing import Pairing, alone, pairings, questions
from upbench.bench.gate.request import DuetRequest
from upbench.bench.gate.sides.environments import Environment
from upbench.bench.lock import alone_in_its_folder
from upbench.bench.processor import cpu_model
from upbench.bench.stage import Ending, Outcome, Progress
from upbench.bench.store import Journal, write_json
from upbench.bench.workers.launch import take_snapshot
from upbench.bench.workers.pipes import WorkerError


@alone_in_its_folder
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


def settings(request: DuetRequest) -> Settings:
    """What a comparison is told."""
    return Settings(
        threshold=request.threshold,
        precision=request.precision,
        budget=request.budget,
        timeout=request.timeout,
        threads=max(request.threads),
        edges=request.edges,
    )


def _live(request: DuetRequest, out: Path, progress: Progress) -> list[outcome.Record]:
    """Compare each candidate with the baseline, both alive, and write `versions.json`."""
    for method, factor in request.planted().items():
        progress.say(f"PLANTED: the candidate does {factor:g} times the work in {method}.")
    with ExitStack() as stack:
        found = list(pairings(request, stack))
        snapshot = take_snapshot(request.environments)
        journal = Journal(out / "versions.journal", _asked(request, found, snapshot))
        comparisons = [
            measure(request, pairing, str(number), journal, snapshot, progress)
            for number, pairing in enumerate(found, 1)
        ]
    write_json(out / "versions.json", {"comparisons": comparisons})
    journal.finish()
    return comparisons


def measure(
    request: DuetRequest, pairing: Pairing, label: str, journal: Journal, snapshot: Path, progress: Progress
) -> outcome.Record:
    """One comparison, gone on with from the journal's rows of that label; its record."""
    progress.say(f"{pairing.title}: {len(pairing.questions)} cells")
    say = lambda line: progress.say(f"  {line}")  # noqa: E731 # the gate's own lines stand below ours
    gate = Gate(pairing.sides, pairing.questions, settings(request), snapshot, say)
    gate.run(journal, label)
    compared = comparison.record(gate, pairing.ends, pairing.words)
    if request.counter:
        _count(compared, pairing, snapshot, progress)
    return compared


def _count(compared: outcome.Record, pairing: Pairing, snapshot: Path, progress: Progress) -> None:
    """Add instruction counts to every cell that was measured."""
    for cell, question in zip(compared["cells"], pairing.questions, strict=True):
        if cell["ratio"] is not None:
            progress.say(f"  instructions: {cell['cell']}")
            cell["instructions"] = counter.compare(pairing.sides, snapshot, question)


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


def _alone(request: DuetRequest, text: str, progress: Progress) -> tuple[Environment, outcome.Record]:
    """One environment measured by itself."""
    asked = questions(request)
    known, side, snapshot = alone(request, text)
    progress.say(f"{known.label} alone: {len(asked)} cells")
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
        for name, found in each.get("edges", {}).items():
            if edge_words.unlike(found):
                progress.say(f"  {edge_words.sentence(name, found)}")
    github.publish(comparisons)
    rows = [cell for each in comparisons for cell in each["cells"]]
    if any(outcome.regressed(each) for each in comparisons):
        return Outcome(stage="duet", ending=Ending.REGRESSION, rows=rows)
    if any(outcome.unmeasured(each) for each in comparisons):
        return Outcome(stage="duet", ending=Ending.FAILED, rows=rows)
    if refusals := [text for each in comparisons if (text := outcome.refused(each))]:
        raise UsageError(refusals[0])
    return Outcome(stage="duet", ending=Ending.OK, rows=rows)


def _asked(request: DuetRequest, found: list[Pairing], snapshot: Path) -> dict[str, Any]:
    """What must be the same for an interrupted comparison to be gone on with."""
    return {
        "request": request.to_json(),
        "pairings": [pairing.identity() for pairing in found],
        "digests": digests((*request.method, *request.versus)),
        "code": snapshot.name,
        "cpu": cpu_model(),
    }
