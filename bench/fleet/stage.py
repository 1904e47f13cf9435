"""`upbench fleet`: a request on a Ray cluster; the files of one machine, for each kind of node where kinds matter."""

import json
import statistics
from pathlib import Path
from typing import Any

from upbench.bench.errors import UsageError
from upbench.bench.fleet import exclusive, luggage, shards
from upbench.bench.fleet.cluster import Cluster, Node
from upbench.bench.fleet.kinds import kind
from upbench.bench.fleet.loop import Loop, Work
from upbench.bench.fleet.request import FleetRequest
from upbench.bench.lock import alone_in_its_folder
from upbench.bench.quality.request import QualityRequest
from upbench.bench.stage import Ending, Outcome, Progress, Row
from upbench.bench.store import Journal, write_json
from upbench.reports import joined
from upbench.reports.files import ReportError
from upbench.reports.frame import read

Probed = dict[str, dict[str, Any]]


@alone_in_its_folder
def run(request: FleetRequest, out: Path, progress: Progress) -> Outcome:
    """Run it, go on from an interrupted run's journal, write `fleet.json`; raises `UsageError` without a cluster."""
    document, packed = luggage.pack(request.asked.to_json(), progress)
    with Cluster(request.address).connected(progress) as cluster:
        loop = Loop(cluster, progress, cluster.keep(packed), silence=request.silence, patience=request.patience)
        probed = probe(loop)
        kinds = _kinds(probed)
        same = {"what": request.what, "asked": request.asked.to_json(), "packed": sorted(packed)}
        journal = Journal(out / "fleet.journal", same)
        found: list[Row]
        if isinstance(request.asked, QualityRequest):
            outcome, found = shards.run(request.asked, document, kinds, loop, out, journal)
        else:
            found = exclusive.run(request, document, kinds, loop, out, journal)
            outcome = exclusive.outcome(request, found, progress)
            _page([out / name for name in kinds], out, progress)
        _record(request, loop, probed, found, out)
    if all(row.get("status", "ok") == "ok" for row in found):
        journal.finish()
    return outcome


def probe(loop: Loop) -> Probed:
    """What each node is, by its id; raises `UsageError` where no node answers. Niceness is said aloud."""
    nodes = loop.nodes()
    answers = {node.id: shards.Answer(progress=loop.progress) for node in nodes}
    works = [_question(node, answers[node.id]) for node in nodes]
    loop.run(works)
    for node, work in zip(nodes, works, strict=True):
        if work.code != Ending.OK:
            loop.progress.warn(f"node {node.address} is left out: {work.reason or 'it cannot run upbench'}.")
            loop.lost.add(node.id)
    probed = {
        node.id: answers[node.id].document("probe.json") | {"address": node.address, "cpus": node.cpus}
        for node in nodes
        if node.id not in loop.lost
    }
    if not probed:
        raise UsageError("The cluster has no node with a processor that can run upbench; see to ray status.")
    loop.boots = {node: str(found["boot_id"]) for node, found in probed.items()}
    for moment in {each["node"]: each for each in loop.moments}.values():
        if moment["niceness"] > 0:
            loop.progress.warn(
                f"NODE {moment['node']} RUNS AT NICENESS {moment['niceness']}: others' processes come first and times"
                " are wrong; start it with RAY_worker_niceness=0."
            )
    return probed


def _question(node: Node, answer: shards.Answer) -> Work:
    task = {"what": "probe", "asked": {}}
    return Work(name=f"probe {node.address}", task=task, hear=answer.hear, may=lambda other: other == node, free=True)


def _kinds(probed: Probed) -> dict[str, list[str]]:
    """The nodes of each kind."""
    found: dict[str, list[str]] = {}
    for node, about in probed.items():
        found.setdefault(kind(about), []).append(node)
    return found


def _page(folders: list[Path], out: Path, progress: Progress) -> None:
    """One page of all kinds, a column each, where at least two have something to report."""
    runs = []
    for folder in folders:
        try:
            runs.append(read(folder))
        except ReportError as error:
            progress.warn(str(error))
    if len(runs) > 1:
        progress.say(f"report: {joined.write(runs, out)}")


def _record(request: FleetRequest, loop: Loop, probed: Probed, found: list[Row], out: Path) -> None:
    """`fleet.json`: the nodes with their kinds, what disturbed them, who measured what, and how late rows came."""
    delays = sorted(loop.delays) or [0.0]
    write_json(
        out / "fleet.json",
        {
            "request": json.loads(json.dumps(request.to_json())),
            "nodes": [about | {"kind": kind(about)} for about in probed.values()],
            "lost": sorted(node for node in loop.lost),
            "moments": loop.moments,
            "work": found,
            "delay_seconds": {"median": statistics.median(delays), "largest": delays[-1]},
        },
    )
