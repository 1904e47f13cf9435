"""A request once for each kind of node, alone on its host: speed, duet, layers, bench."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upbench.bench.adapters import select
from upbench.bench.fleet.cluster import Node
from upbench.bench.fleet.loop import Loop, Work
from upbench.bench.fleet.mirror import Mirror
from upbench.bench.fleet.node import Message
from upbench.bench.fleet.request import FleetRequest
from upbench.bench.jobs.request import BenchRequest
from upbench.bench.layers.request import LayersRequest
from upbench.bench.quality.stage import tasks
from upbench.bench.speed import stage as speed
from upbench.bench.speed.request import SpeedRequest
from upbench.bench.stage import Bar, Ending, Outcome, Progress, Row
from upbench.bench.store import Journal


@dataclass(slots=True, kw_only=True)
class Course:
    """One kind's run: its folder here, its bar, and what its stage said went wrong."""

    kind: str
    mirror: Mirror
    bar: Bar
    progress: Progress
    error: str = ""

    def hear(self, message: Message, node: Node) -> None:
        """Keep the files, move the bar, pass on what is said."""
        for _ in range(self.mirror.follow(message)):
            self.bar.step(node.address)
        for said in message.get("said", ()):
            self.error = said.get("error", self.error)
            if "say" in said:
                self.progress.say(f"{self.kind}: {said['say']}")
            if "warn" in said:
                self.progress.warn(f"{self.kind}: {said['warn']}")
        if message.get("code") == Ending.USAGE and not self.error:
            self.error = message.get("last", "").strip().rpartition("\n")[2]


def run(
    request: FleetRequest,
    document: dict[str, Any],
    kinds: dict[str, list[str]],
    loop: Loop,
    out: Path,
    journal: Journal,
) -> list[Row]:
    """A row a kind with its `status`, `ending`, `reason` and the nodes that had it; its files lie in `out/kind`.

    `kinds` maps each kind to its nodes' ids; `document` is the request as nodes read it. A kind that the journal has is
    not measured again.
    """
    done = {row["kind"] for row in journal.rows if "kind" in row}
    progress = loop.progress
    with ExitStack() as stack:
        works, courses = [], {}
        for kind, ids in kinds.items():
            if kind in done:
                progress.say(f"{kind}: measured by the run before.")
                continue
            mirror = Mirror(out / kind)
            mirror.folder.mkdir(parents=True, exist_ok=True)
            bar = stack.enter_context(progress.bar(kind, "row", _total(request)))
            courses[kind] = Course(kind=kind, mirror=mirror, bar=bar, progress=progress)
            task = {"what": request.what, "asked": document}
            works.append(
                Work(
                    name=kind,
                    task=task,
                    hear=courses[kind].hear,
                    may=lambda node, ids=ids: node.id in ids,  # type: ignore[misc]
                    alone=True,
                    seed=mirror.files,
                )
            )
        loop.run(works)
    for work in works:
        row = _row(request, work, courses[work.name], out / work.name, progress)
        if row["status"] == "ok":
            journal.append(row)
        else:
            journal.rows.append(row)  # for this run only: the next one tries again
    found = {row["kind"]: row for row in journal.rows if "kind" in row}
    return [found[kind] for kind in kinds]


def _row(request: FleetRequest, work: Work, course: Course, folder: Path, progress: Progress) -> Row:
    row: Row = {"kind": work.name, "nodes": work.on, "status": "ok", "reason": "", "ending": work.code}
    if work.code in (Ending.OK, Ending.REGRESSION, Ending.FAILED):
        return row
    reason = course.error or work.reason or f"its stage ended with exit code {work.code}"
    if work.code is None and isinstance(request.asked, SpeedRequest):
        speed.give_up(request.asked, folder, reason, progress)
    return row | {"status": "failed", "reason": reason, "ending": Ending.FAILED}


def _total(request: FleetRequest) -> int:
    """How many rows a kind's run will have; a duet's cannot be told before."""
    asked = request.asked
    if isinstance(asked, SpeedRequest):
        return len(asked.cells())
    if isinstance(asked, LayersRequest):
        return len(asked.trials())
    if isinstance(asked, BenchRequest):
        quality = tasks(asked.quality, select(asked.quality.methods, asked.quality.method))
        return len(quality) + len(asked.speed.cells())
    return 1


def outcome(request: FleetRequest, rows: list[Row], progress: Progress) -> Outcome:
    """How all kinds together ended: a regression outweighs a failure."""
    for row in rows:
        said = row["reason"] or f"ended with exit code {row['ending']}"
        progress.say(f"{row['kind']} ({', '.join(row['nodes'])}): {said}.")
    endings = [Ending(row["ending"]) for row in rows]
    ending = Ending.REGRESSION if Ending.REGRESSION in endings else max(endings, default=Ending.FAILED)
    return Outcome(stage=request.what, ending=ending, rows=rows)
