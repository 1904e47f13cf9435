"""Quality over all nodes: parts of the images, each on one processor, joined in their order."""

import json
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from upbench.bench.adapters import select
from upbench.bench.errors import UsageError
from upbench.bench.fleet.cluster import Node
from upbench.bench.fleet.loop import Loop, Work
from upbench.bench.fleet.node import Message
from upbench.bench.quality import parts, stage
from upbench.bench.quality.request import QualityRequest
from upbench.bench.stage import Ending, Outcome, Progress, Row, concluded
from upbench.bench.store import Journal, replacing, write_json


@dataclass(slots=True, kw_only=True)
class Answer:
    """The files of one task, and what it said went wrong."""

    progress: Progress
    files: dict[str, bytes] = field(default_factory=dict)
    error: str = ""

    def hear(self, message: Message, node: Node) -> None:
        """Keep what is told."""
        self.files |= message.get("files", {})
        for name, content in message.get("rows", {}).items():
            self.files[name] += content
        for said in message.get("said", ()):
            self.error = said.get("error", self.error)
            if "warn" in said:
                self.progress.warn(said["warn"])

    def document(self, name: str) -> dict[str, Any]:
        """A file's JSON."""
        found: dict[str, Any] = json.loads(self.files[name])
        return found


def described(loop: Loop, document: dict[str, Any]) -> dict[str, Any]:
    """What a node says of the data; raises `UsageError` with its sentence where it has none."""
    answer = Answer(progress=loop.progress)
    work = Work(name="describe", task={"what": "describe", "asked": document}, hear=answer.hear)
    loop.run([work])
    if work.code != Ending.OK:
        raise UsageError(answer.error or f"No node could read the data: {work.reason or 'it ended without a word'}.")
    return answer.document("describe.json")


def run(
    request: QualityRequest,
    document: dict[str, Any],
    kinds: dict[str, list[str]],
    loop: Loop,
    out: Path,
    journal: Journal,
) -> tuple[Outcome, list[Row]]:
    """Measure every part that the journal has not, write the files of one run; and where each part was measured."""
    data = described(loop, document)
    kind_of = {node: kind for kind, ids in kinds.items() for node in ids}
    slots = sum(int(node.cpus) for node in loop.nodes())
    ranges = parts.ranges(data["size"], data["batch"], slots)
    wanted = [task.name for task in stage.tasks(request, select(request.methods, request.method))]
    known = _known(journal, ranges, wanted, data)
    loop.progress.say(
        f"quality: {data['about']['description']}, in {len(ranges)} parts over {len(loop.nodes())} nodes."
    )
    with ExitStack() as stack:
        bars = {kind: stack.enter_context(loop.progress.bar(kind, "part", len(ranges))) for kind in kinds}
        works = []
        for index, (first, last) in enumerate(ranges):
            if index in known:
                continue
            part = Part(index=index, bounds=(first, last), data=data, journal=journal, progress=loop.progress)
            task = {"what": "part", "asked": document, "first": first, "last": last}

            def hear(message: Message, node: Node, part: "Part" = part) -> None:
                if part.hear(message, node, kind_of.get(node.id, "")):
                    bars[kind_of[node.id]].step(node.address)

            works.append(Work(name=f"images {first} to {last - 1}", task=task, hear=hear))
        loop.run(works)
    known = _known(journal, ranges, wanted, data)
    lost = {work.name: work.reason for work in works if work.code != Ending.OK}
    found = [known.get(index) or _lost(bounds, wanted, lost) for index, bounds in enumerate(ranges)]
    pixels = found[0].get("pixels", {})
    rows = parts.joined(request, data["about"], [part["rows"] for part in found], pixels)
    _write(request, rows, data, found, out)
    return concluded("quality", rows, loop.progress), [
        {name: part.get(name) for name in ("part", "node", "kind")} for part in found
    ]


@dataclass(slots=True, kw_only=True)
class Part:
    """One part's answer, which goes to the journal whole."""

    index: int
    bounds: tuple[int, int]
    data: dict[str, Any]
    journal: Journal
    progress: Progress
    answer: Answer | None = None

    def hear(self, message: Message, node: Node, kind: str) -> bool:
        """Whether it is done; a part that begins anew forgets what it has."""
        if self.answer is None or ("moment" in message and "code" not in message):
            self.answer = Answer(progress=self.progress)
        self.answer.hear(message, node)
        if message.get("code") != Ending.OK:
            return False
        rows = [json.loads(line) for line in self.answer.files["quality.journal"].splitlines()[1:]]
        pixels = self.answer.document(parts.PIXELS)["rows"] if parts.PIXELS in self.answer.files else {}
        samples = self.answer.files.get("samples.npz", b"").hex()
        row = {"part": list(self.bounds), "of": self.data, "rows": rows, "pixels": pixels, "samples": samples}
        host = self.answer.document("host.json")["host"]
        self.journal.append(row | {"node": node.address, "kind": kind, "host": host})
        return True


def _known(journal: Journal, ranges: list[tuple[int, int]], wanted: list[str], data: dict[str, Any]) -> dict[int, Row]:
    """The parts that have been measured, of the same data."""
    bounds = {bounds: index for index, bounds in enumerate(ranges)}
    return {
        bounds[tuple(row["part"])]: row
        for row in journal.rows
        if tuple(row.get("part", ())) in bounds
        and row["of"] == data
        and {each["row"] for each in row["rows"]} == set(wanted)
    }


def _lost(bounds: tuple[int, int], wanted: list[str], lost: dict[str, str]) -> Row:
    name = f"images {bounds[0]} to {bounds[1] - 1}"
    reason = f"{name} were not measured: {lost.get(name) or 'their task ended without them'}"
    return {"part": list(bounds), "rows": [{"row": row, "status": "failed", "reason": reason} for row in wanted]}


def _write(request: QualityRequest, rows: list[Row], data: dict[str, Any], found: list[Row], out: Path) -> None:
    """The files that one run writes; `samples.npz` is the first part's, and `host.json` has every node's host."""
    stage.write(request, rows, data["about"], out)
    if samples := found[0].get("samples"):
        with replacing(out / "samples.npz") as temporary:
            temporary.write_bytes(bytes.fromhex(samples))
    hosts = {part["node"]: part["host"] for part in found if "node" in part}
    if hosts:
        write_json(out / "host.json", {"host": next(iter(hosts.values())), "hosts": hosts})
