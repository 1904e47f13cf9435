"""The worker of `upbench deploy`: a process with limits and a folder of its own, fresh for every group of roads."""

import shutil
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from upbench.bench.deploy.request import COMPILED, DeployRequest
from upbench.bench.deploy.verdicts import LOST, NOT_ASKED
from upbench.bench.errors import FailedError, SkippedError
from upbench.bench.stage import Row
from upbench.bench.workers.launch import own_environment, worker_command
from upbench.bench.workers.pipes import START_SECONDS, Worker, WorkerError

HANDLER = "upbench.bench.deploy.served:Roads"
COMPILING = "upbench.bench.deploy.compiling:Roads"


class Travelling:
    """One worker; every task gets a fresh process of it."""

    def __init__(self, request: DeployRequest) -> None:
        """It is started when it is first needed."""
        self.request = request
        self._compiles = bool(set(COMPILED) & set(request.roads))
        self.used = True
        self._seeded = self._ended = False
        self._starting = threading.Lock()
        self._worker: Worker | None = None
        self._folder = Path(tempfile.mkdtemp(prefix="upbench-deploy-"))

    def __enter__(self) -> "Travelling":
        """Nothing is started yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the worker and remove its folder."""
        self.end()
        shutil.rmtree(self._folder, ignore_errors=True)

    def end(self) -> None:
        """End the worker; whoever waits for its answer hears that it is lost."""
        with self._starting:
            self._ended = True
        if worker := self._worker:
            worker.kill()

    def travel(self, method: str, scale: int, road: str) -> Row:
        """The columns of a row; `method` is what `adapters.find` takes."""
        question = {"ask": "travel", "method": method, "scale": scale, "road": road}
        try:
            answer: Row = self._ready().ask(question, self.request.timeout)["row"]
        except SkippedError as error:
            return {"status": "skipped", "verdict": NOT_ASKED, "reason": str(error)}
        except FailedError as error:
            return {"status": "failed", "verdict": NOT_ASKED, "reason": str(error)}
        except WorkerError as error:
            self.used = True
            return {"status": "failed", "verdict": LOST, "reason": str(error)}
        return answer

    def write(self, method: str, scale: int, path: Path, *, dynamic: bool) -> None:
        """Have the method's checked model written; raises `UsageError` or `FailedError` where there is none."""
        question = {"ask": "write", "method": method, "scale": scale, "path": str(path), "dynamic": dynamic}
        try:
            self._ready().ask(question, self.request.timeout)
        except WorkerError as error:
            raise FailedError(str(error)) from error

    def _ready(self) -> Worker:
        """A worker whose process has not served another task."""
        if self._worker is not None and self.used:
            try:
                self._worker.renew()
            except WorkerError:
                self._worker.kill()
                self._worker = None
        if self._worker is None:
            self._worker = self._start()
            self._worker.greet()
            self.used = True
        if self.used:
            self._begin(self._worker)
        return self._worker

    def _start(self) -> Worker:
        with self._starting:
            if self._ended:
                raise WorkerError("the run was interrupted")
            self._worker = Worker(
                worker_command(Path(sys.executable), COMPILING if self._compiles else HANDLER),
                own_environment(1, self._folder),
                self._folder,
                enduring=True,
            )
            return self._worker

    def _begin(self, worker: Worker) -> None:
        for old in self._folder.glob("inductor-*"):
            shutil.rmtree(old, ignore_errors=True)
        about: dict[str, Any] = {"path": sys.path, "memory": self.request.memory, "folder": str(self._folder)}
        worker.ask({"ask": "begin"} | about, self.request.timeout)
        if not self._seeded and self._compiles:
            self._seeded = True
            with suppress(FailedError, SkippedError):  # a machine without a compiler: each road will say so
                worker.ask({"ask": "seed", "folder": str(self._folder)}, START_SECONDS)
            worker.renew()
            self._begin(worker)
        self.used = False
