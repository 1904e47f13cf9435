"""Workers that train: each training in a process of its own, so that a layer that dies or hangs costs one row."""

import queue
import sys
from pathlib import Path
from typing import Any

from upbench.bench.errors import FailedError, SkippedError, UsageError
from upbench.bench.workers.launch import worker_command, worker_environment
from upbench.bench.workers.pipes import Worker, WorkerError

SERVED = "upbench.bench.layers.served:Training"
Row = dict[str, Any]


class Crew:
    """At most `jobs` live workers, handed to whoever asks."""

    def __init__(self, folder: Path, jobs: int, seconds: float) -> None:
        """They work in `folder`; a training that takes longer than `seconds` is given up. None is started yet."""
        self.folder, self.seconds = folder, seconds
        self.idle: queue.SimpleQueue[Worker | None] = queue.SimpleQueue()
        self.alive: set[Worker] = set()
        for _ in range(jobs):
            self.idle.put(None)

    def __enter__(self) -> "Crew":
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End every worker."""
        for worker in list(self.alive):
            worker.kill()

    def ask(self, request: Row) -> Row:
        """`status`, `reason`, and the answer's figures; each request is served by a fresh process."""
        worker = self.idle.get()
        try:
            worker = worker or self._start()
            answer = worker.ask({"ask": "train"} | request, self.seconds)
            row = {"status": "ok", "reason": ""} | {name: answer[name] for name in answer if name != "ok"}
        except SkippedError as reason:
            row = {"status": "skipped", "reason": str(reason)}
        except (FailedError, UsageError) as reason:
            row = {"status": "failed", "reason": str(reason)}
        except WorkerError as reason:
            row = {"status": "failed", "reason": str(reason)}
            self._lost(worker)
            worker = None
        self.idle.put(self._fresh(worker))
        return row

    def _start(self) -> Worker:
        worker = Worker(worker_command(Path(sys.executable), SERVED), worker_environment(self.folder, 1), self.folder)
        self.alive.add(worker)
        worker.greet()
        return worker

    def _fresh(self, worker: Worker | None) -> Worker | None:
        """The same interpreter with a new process."""
        try:
            if worker:
                worker.renew()
        except WorkerError:
            self._lost(worker)
            return None
        return worker

    def _lost(self, worker: Worker | None) -> None:
        if worker:
            worker.kill()
            self.alive.discard(worker)
