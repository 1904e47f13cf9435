"""The atlas as a stage -> `atlas.json`: every release of torch against the next, and each change shown again.

The file: `{"format": 1, "releases", "comparisons": [as in versions.json], "changes": [...]}`. A change holds `what`
(time, pixels, memory, or edges: pixels at the edges of the space of shapes), `before` and `after` (releases), the
`cell`, the `amount` (of time the `interval` too, and the `seconds` of a call before), and where torch alone can say it
a `reproducer` with what it printed in both environments.
Format history: 1 is the first.
"""

import statistics
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

from upbench.bench.cells import Cell
from upbench.bench.errors import UsageError
from upbench.bench.gate import outcome
from upbench.bench.gate.edges import words as edge_words
from upbench.bench.gate.pairing import pairings
from upbench.bench.gate.pixels import CHANGED
from upbench.bench.gate.releases import reproducer
from upbench.bench.gate.releases.bisect import minor_releases
from upbench.bench.gate.releases.request import AtlasRequest
from upbench.bench.gate.releases.space import Space
from upbench.bench.gate.stage import measure
from upbench.bench.gate.verdict import Verdict
from upbench.bench.processor import cpu_model
from upbench.bench.stage import Ending, Outcome, Progress, Silent
from upbench.bench.store import Journal, write_json
from upbench.bench.workers.launch import take_snapshot
from upbench.bench.workers.pipes import WorkerError

Record = dict[str, Any]

FILE = "atlas.json"
FIRST = "2.0.1"  # 2.0.0 asks for a build of triton that is not everywhere
MEMORY_CHANGE = 0.01  # of peak bytes


def run(request: AtlasRequest, out: Path, progress: Progress) -> Outcome:
    """Compare all neighbours, one pair of workers at a time; an interrupted atlas goes on where it was."""
    releases = request.releases or tuple(known_releases())
    snapshot = take_snapshot(request.environments)
    asked = {"request": request.to_json(), "releases": releases, "code": snapshot.name, "cpu": cpu_model()}
    journal = Journal(out / "atlas.journal", asked)
    comparisons, changes, failed = [], [], False
    neighbours = list(pairwise(releases))
    space = Space(request, journal)
    with progress.bar("atlas", "comparison", len(neighbours)) as bar:
        for number, (before, after) in enumerate(neighbours):
            try:
                compared, found = _step(request, (before, after), journal, snapshot, space)
            except (WorkerError, UsageError) as error:
                progress.warn(f"{before} -> {after}: not compared: {error}")
                failed = True
            else:
                comparisons.append(compared)
                changes += found
                for change in found:
                    progress.say(f"  {sentence(change)}")
            space.free(neighbours[number + 1] if number + 1 < len(neighbours) else ())
            bar.step(f"{before} -> {after}")
    write_json(out / FILE, {"releases": releases, "comparisons": comparisons, "changes": changes})
    journal.finish()
    progress.say(f"{len(changes)} changes between {releases[0]} and {releases[-1]}, in {out / FILE}.")
    rows = [cell for each in comparisons for cell in each["cells"]]
    return Outcome(stage="atlas", ending=Ending.FAILED if failed or not rows else Ending.OK, rows=rows)


def known_releases() -> list[str]:
    """The first release of each minor version, up to the torch that runs here."""
    return minor_releases(FIRST, version("torch").partition("+")[0])


def _step(
    request: AtlasRequest, ends: tuple[str, str], journal: Journal, snapshot: Path, space: Space
) -> tuple[Record, list[Record]]:
    """Two neighbours compared, and what changed between them with its reproducers; done before, it needs neither."""
    label = f"{ends[0]} -> {ends[1]}"
    if done := next((row for row in journal.rows if row["comparison"] == f"done {label}"), None):
        return done["compared"], done["found"]
    space.make(ends)
    duet = request.duet(*ends)
    with ExitStack() as stack:
        (pairing,) = pairings(duet, stack)
        compared = measure(duet, pairing, label, journal, snapshot, Silent())
        interpreters = stack.enter_context(reproducer.Interpreters(pairing.sides, snapshot))
        known = {
            _key(row["change"]): row["reproducer"] for row in journal.rows if row["comparison"] == f"shown {label}"
        }
        found = []
        for change in changes_of(compared, ends):
            if _key(change) not in known:
                known[_key(change)] = _shown(change, interpreters)
                row = {"comparison": f"shown {label}", "change": change, "reproducer": known[_key(change)]}
                journal.append(row)
            found.append(change | {"reproducer": known[_key(change)]})
    journal.append({"comparison": f"done {label}", "compared": compared, "found": found})
    return compared, found


def _key(change: Record) -> tuple[str, str]:
    return change["what"], change["cell"]


def changes_of(compared: Record, ends: tuple[str, str]) -> list[Record]:
    """What is confirmed to be another between two neighbours, cell by cell and edge by edge."""
    about = {"before": ends[0], "after": ends[1]}
    return [about | change for change in (*_cells(compared), *_edges(compared))]


def _cells(compared: Record) -> Iterator[Record]:
    names = {cell["cell"] for cell in compared["cells"]}
    for cell in outcome.by_severity(compared):
        name, method = cell["cell"], cell["method"]
        if cell["verdict"] in (Verdict.SLOWER.value, Verdict.FASTER.value):
            interval = [cell["low"], cell["high"]]
            about = {"amount": cell["ratio"], "interval": interval, "seconds": _seconds(cell)}
            yield {"what": "time", "cell": name, "method": method} | about
        told = replace(Cell.parse(name), step="forward").name  # pixels are those of a forward pass, whatever is timed
        if (cell["pixels"] or {}).get("status") == CHANGED and (told == name or told not in names):
            yield {"what": "pixels", "cell": name, "method": method, "amount": cell["pixels"]["largest"]}
        memory = outcome.memory_ratio(cell)
        if memory is not None and abs(memory - 1) > MEMORY_CHANGE:
            yield {"what": "memory", "cell": name, "method": method, "amount": memory}


def _seconds(cell: Record) -> float:
    """What a call takes in the release before, by the blocks of all visits."""
    blocks = [block for visit in cell["visits"] for block in visit["baseline"]]
    seconds: float = statistics.median(blocks) / cell["calls_per_block"] / 1e9
    return seconds


def _edges(compared: Record) -> Iterator[Record]:
    for method, found in compared.get("edges", {}).items():
        for kind, about in found.get("smallest", {}).items():
            if kind in (CHANGED, edge_words.LOST):
                yield {
                    "what": f"edges {kind}",
                    "cell": about["case"],
                    "method": method,
                    "amount": about.get("largest"),
                    "cases": found["counts"][kind],
                    "reason": about.get("reason", ""),
                }


def _shown(change: Record, interpreters: reproducer.Interpreters) -> Record | None:
    """The change in torch's own words, executed in both environments; None where it cannot be said so shortly."""
    what, turns = change["what"], 1
    if what == "time":
        script, turns = reproducer.timing(change["cell"], change["seconds"]), reproducer.TURNS
    elif what == "memory":
        script = reproducer.memory(change["cell"])
    elif what == "pixels":
        script = reproducer.cell_pixels(change["cell"])
    else:
        script = reproducer.pixels(change["method"], change["cell"])
    return reproducer.executed(script, interpreters, turns) if script else None


def sentence(change: Record) -> str:
    """For people."""
    where = f"{change['before']} -> {change['after']}: {change['method']}, {change['cell']}"
    if change["what"] in ("time", "memory"):
        said = f"{where}: {change['what']} x{change['amount']:.2f}"
    elif change["amount"] is None:
        said = f"{where}: {change['what']} ({change['reason']})"
    else:
        said = f"{where}: {change['what']} by up to {change['amount']:.2g}"
    again = change["reproducer"]
    if not again:
        return said
    shown = f"x{again['ratio']:.2f}" if "ratio" in again else "shows it" if again["differs"] else "does not show it"
    return f"{said}; its reproducer: {shown}"
