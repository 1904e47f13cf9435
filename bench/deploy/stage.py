"""The deploy stage: every method down every road, each group of roads in a process of its own, to `deploy.csv`."""

import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import torch

from upbench.bench import host
from upbench.bench.adapters import Adapter, digests
from upbench.bench.deploy.onnx_file import versions
from upbench.bench.deploy.request import GROUPS, DeployRequest
from upbench.bench.deploy.travelling import Travelling
from upbench.bench.deploy.verdicts import NOT_ASKED
from upbench.bench.lock import alone_in_its_folder
from upbench.bench.stage import Bar, Ending, Outcome, Progress, Row
from upbench.bench.store import Journal, write_csv, write_json
from upbench.bench.workers.crew import required

COLUMNS = (
    "method", "scale", "road", "status", "verdict", "reason", "steps", "where", "largest", "ms_eager", "ms",
    "prepare_seconds", "cell_seconds", "recompiles", "opset", "operators", "note", "log", "fingerprint",
    "torch", "onnx", "onnxscript", "onnxruntime", "openvino",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One method at one scale, and roads of one group that are not in the journal yet."""

    adapter: Adapter
    scale: int
    roads: tuple[str, ...]


@alone_in_its_folder
def run(request: DeployRequest, out: Path, progress: Progress) -> Outcome:
    """Send every method down every road and write `deploy.csv`; a run that was stopped goes on where it was."""
    adapters = required(request.methods, request.method, torch.device("cpu"))
    found = versions()
    asked = request.but(jobs=1, minutes=None).to_json()
    journal = Journal(out / "deploy.journal", {"request": asked, "versions": found, "digests": digests(request.method)})
    write_json(out / "deploy.json", {"host": host.fingerprint(), "versions": found})
    before = {_key(row) for row in journal.rows}
    tasks = [
        Task(adapter=adapter, scale=scale, roads=roads)
        for group in GROUPS.values()
        for scale in request.scales
        for adapter in adapters
        if (roads := tuple(r for r in group if r in request.roads and (adapter.name, scale, r) not in before))
    ]
    total = len(adapters) * len(request.scales) * len(request.roads)
    with progress.bar("deploy", "road", total, len(before)) as bar:
        Trips(request, journal, found, bar).make(tasks)
    order = {adapter.name: place for place, adapter in enumerate(adapters)}
    rows = sorted(journal.rows, key=lambda row: (row["scale"], order[row["method"]], request.roads.index(row["road"])))
    write_csv(out / "deploy.csv", rows, COLUMNS)
    if not any(row["reason"] == TIME_IS_UP for row in rows):
        journal.finish()
    return _concluded(rows, progress)


TIME_IS_UP = "the minutes were up; the same command without --minutes goes on from here"


def _key(row: Row) -> tuple[str, int, str]:
    return row["method"], row["scale"], row["road"]


def _concluded(rows: list[Row], progress: Progress) -> Outcome:
    """A road that refuses is a finding, not a failure of ours; so is one that dies."""
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["verdict"]] = counts.get(row["verdict"], 0) + 1
    progress.say("deploy: " + ", ".join(f"{count} {verdict}" for verdict, count in counts.items()) + ".")
    measured = any(row["verdict"] != NOT_ASKED for row in rows)
    return Outcome(stage="deploy", ending=Ending.OK if measured else Ending.FAILED, rows=rows)


class Trips:
    """The tasks of a run, by as many workers at a time as there are jobs."""

    def __init__(self, request: DeployRequest, journal: Journal, found: dict[str, str], bar: Bar) -> None:
        """`found` are the versions that every row tells."""
        self.request, self.journal, self.found, self.bar = request, journal, found, bar
        self._sharing, self._interrupted = threading.Lock(), threading.Event()
        self._end = time.monotonic() + 60 * request.minutes if request.minutes else None

    def make(self, tasks: list[Task]) -> None:
        """All of them, in order; an interruption ends the workers and leaves what they were at to the next run."""
        waiting: queue.SimpleQueue[Task] = queue.SimpleQueue()
        for task in tasks:
            waiting.put(task)
        with ExitStack() as stack, ThreadPoolExecutor(self.request.jobs) as pool:
            workers = [stack.enter_context(Travelling(self.request)) for _ in range(self.request.jobs)]
            try:
                for done in [pool.submit(self._serve, waiting, worker) for worker in workers]:
                    done.result()
            except BaseException:
                self._interrupted.set()
                for worker in workers:
                    worker.end()
                raise

    def _serve(self, waiting: "queue.SimpleQueue[Task]", worker: Travelling) -> None:
        while not self._interrupted.is_set():
            try:
                task = waiting.get_nowait()
            except queue.Empty:
                return
            self._task(worker, task)

    def _task(self, worker: Travelling, task: Task) -> None:
        worker.used = True
        for road in task.roads:
            row = {"method": task.adapter.name, "scale": task.scale, "road": road, "status": "ok", "reason": ""}
            if self._end and time.monotonic() > self._end:
                row |= {"status": "skipped", "verdict": NOT_ASKED, "reason": TIME_IS_UP}
            else:
                row |= worker.travel(task.adapter.source, task.scale, road)
            with self._sharing:
                if self._interrupted.is_set():
                    return
                if row["reason"] == TIME_IS_UP:
                    self.journal.rows.append(row)  # not on disk: the next run asks it
                else:
                    self.journal.append(row | self.found)
                self.bar.step(f"{task.adapter.name} {road}")
