"""The parent's end of a worker: start it, ask it with a time limit, and never leave it behind."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from upbench.bench.errors import FailedError, SkippedError, UsageError
from upbench.bench.workers.serve import PROTOCOL

START_SECONDS = 120.0
END_SECONDS = 5.0


class WorkerError(Exception):
    """The worker itself is gone or cannot be trusted: crashed, hung, or spoke nonsense.

    `status` is a crashed one's exit status, negative for a signal; None for another end.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        """Say what happened."""
        super().__init__(message)
        self.status = status


class Worker:
    """A live worker process; `ask` sends one request and waits for its answer."""

    def __init__(
        self, command: list[str], environment: Mapping[str, str], folder: Path, *, enduring: bool = False
    ) -> None:
        """Start the process in `folder`, in a session of its own, and return at once; `greet` waits for its hello.

        A lost worker is killed; of an `enduring` one the mother is kept where there is one, for `renew`.
        """
        self.enduring = enduring
        self.answering = False  # a question was sent, and neither an answer nor an end has come
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 # lives as long as the worker
        self._process = subprocess.Popen(
            [*command, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env=dict(environment),
            cwd=folder,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
        self._serving = self._process.pid
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")

    @property
    def pid(self) -> int:
        """The number of the process that serves."""
        return self._serving

    def keep_on(self, cores: Sequence[int]) -> None:
        """The serving process's first thread on the first core, the others on the rest; without cores as they are.

        It holds for the threads that live: those that were started before do not follow the first one.
        """
        for thread in Path(f"/proc/{self._serving}/task").glob("*") if cores else ():
            mine = cores[:1] if int(thread.name) == self._serving else cores[1:] or cores
            with contextlib.suppress(ProcessLookupError):  # it ended meanwhile
                os.sched_setaffinity(int(thread.name), mine)

    def greet(self, seconds: float = START_SECONDS) -> dict[str, Any]:
        """The worker's hello; raises `WorkerError` if none comes in time or its protocol is another."""
        hello = self._receive(seconds)
        if hello.get("protocol") != PROTOCOL:
            self.kill()
            raise WorkerError(f"the worker speaks protocol {hello.get('protocol')!r}, not {PROTOCOL}")
        self._serving = hello.get("pid", self._process.pid)
        return hello

    def renew(self, seconds: float = START_SECONDS) -> dict[str, Any]:
        """Have a new process serve, where the system can fork one; its hello. Raises `WorkerError` where not."""
        self._send({"ask": "renew"})
        hello = self.greet(seconds)
        self._stderr.seek(0)  # the last words of the one before are not the new one's
        self._stderr.truncate()
        return hello

    def ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """The answer to one request.

        Raises `SkippedError`, `FailedError` or `UsageError` for the cell, `WorkerError` when the worker is lost.
        """
        self._send(request)
        answer = self._receive(seconds)
        if answer.get("ok") is True:
            return answer
        kind = {"skipped": SkippedError, "usage": UsageError}.get(str(answer.get("kind")), FailedError)
        raise kind(str(answer.get("reason", "no reason given")))

    def _send(self, request: dict[str, Any]) -> None:
        self.answering = True
        try:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except (OSError, ValueError) as error:
            raise self._lost("crashed") from error

    def _receive(self, seconds: float) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty as error:
            raise self._lost(f"hung (no answer in {seconds:g} s)") from error
        if not line:
            raise self._lost("crashed")
        try:
            message = json.loads(line)
        except ValueError as error:
            raise self._lost(f"answered nonsense ({line.strip()[:60]!r})") from error
        if not isinstance(message, dict):
            raise self._lost(f"answered nonsense ({line.strip()[:60]!r})")
        if "died" in message:
            raise self._lost("crashed", int(message["died"]))
        self.answering = False
        return message

    def _lost(self, how: str, status: int | None = None) -> WorkerError:
        """End the worker; the error tells how it was lost, and after a crash its last words."""
        self.answering = False
        if how != "crashed":
            self._stop()
            return WorkerError(f"the worker {how}")
        if status is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=END_SECONDS)  # its own exit status, not the one of our kill
            status = self._process.poll()
        words = self._last_words()
        if not self.alive:
            self.kill()
        return WorkerError(f"the worker crashed: exit status {status}{words}", status)

    @property
    def alive(self) -> bool:
        """Whether an enduring worker can still be renewed."""
        return self.enduring and self._process.poll() is None

    def _stop(self) -> None:
        """End what serves: a child whose mother then says that it died, or all."""
        if not self.alive or self._serving == self._process.pid:
            self.kill()
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._serving, signal.SIGKILL)
        while self.alive:
            try:
                line = self._lines.get(timeout=END_SECONDS)
            except queue.Empty:
                line = ""
            if not line:
                self.kill()
            if '"died"' in line:
                return

    def _last_words(self) -> str:
        self._stderr.seek(0)
        lines = self._stderr.read().decode("utf-8", "replace").strip().splitlines()
        return f"; {lines[-1]}" if lines else ""

    def kill(self) -> None:
        """End the process and what it started, and wait for their end."""
        self._process.terminate()  # a mother takes hers with her
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=END_SECONDS)
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):  # nothing is left of its group
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        self.enduring = False
        for pipe in (self._process.stdin, self._process.stdout, self._stderr):
            with contextlib.suppress(OSError):  # unsent bytes for a dead process
                pipe.close()  # type: ignore[union-attr]
