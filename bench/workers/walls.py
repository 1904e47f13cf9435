"""Walls between us and strangers' code: import, factory, conformance and every call happen in a worker process.

    with Walls("cpu") as walls:
        upsampler = walls.upsampler("bicubic", 2, torch.float32)
        high = upsampler.attempt(low)

Both calls raise what local ones raise, `SkippedError`, `FailedError` and `UsageError` with the same sentences; a worker
that dies or hangs is a `FailedError` too, and the next call goes on in a fresh one. Images go through mapped files and
come back bit by bit the same. A worker has a time limit, a memory limit, a folder, a session and a process group of its
own; it and whatever it started are gone when the walls are closed and when this process dies (`warden` says what holds
on which system); on Linux the mother, who ran none of their code, waits for the next walls (`home`). It knows nothing
of the caller's current folder.

Methods of one module share a process, as they share their state anyway; another module gets a fresh one, and so does
whatever comes after a failure. So ask module by module where you can (`Adapter.module`).
"""

import itertools
import sys
import time
from types import TracebackType
from typing import Any

import torch
from torch import Tensor

from upbench.bench.adapters import Adapter, lazily
from upbench.bench.errors import FailedError
from upbench.bench.workers import home
from upbench.bench.workers.home import Home
from upbench.bench.workers.pipes import WorkerError
from upbench.bench.workers.sheet import Sheet

ANSWER_SECONDS = 120.0  # for one answer: a factory with its checks, or one call
CELL_SECONDS = 3600.0  # for all answers of one upsampler

Message = dict[str, Any]


class Walls:
    """One worker process at a time, started when it is first needed. For one thread; another thread has its own."""

    def __init__(
        self,
        device: torch.device | str = "cpu",
        *,
        threads: int = 1,
        timeout: float = ANSWER_SECONDS,
        total: float = CELL_SECONDS,
        memory: int | None = None,
    ) -> None:
        """Limits: `timeout` seconds for an answer, `total` for an upsampler, `memory` bytes (None: 80 % of all)."""
        self.device, self.threads, self.timeout, self.total, self.memory = device, threads, timeout, total, memory
        self._keys = itertools.count()
        self._home: Home | None = None
        self._module = ""
        self._used_up = False
        self._process = 0

    def __enter__(self) -> "Walls":
        """Nothing is started yet."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """End the worker and what it started, and remove what it wrote. Using the walls again starts anew."""
        left, self._home = self._home, None
        if left is not None:
            left.leave()

    def end(self) -> None:
        """Close at once, whatever another thread is asking meanwhile: it hears that the worker is lost."""
        ended, self._home = self._home, None
        if ended is not None:
            ended.end()

    def upsampler(
        self, method: Adapter | str, scale: int, dtype: torch.dtype, *, check: bool = True
    ) -> "RemoteUpsampler":
        """Build a method (and check that it conforms); `method` is an adapter, a name, or a spec."""
        return RemoteUpsampler(self, method if isinstance(method, Adapter) else lazily(method), scale, dtype, check)

    def summary(self, method: Adapter | str) -> str:
        """The first line of the factory's docstring; raises as `upsampler` does."""
        adapter = method if isinstance(method, Adapter) else lazily(method)
        self.enter(adapter.module)
        return str(self.ask({"ask": "summary", "method": adapter.source}, self.timeout)["summary"])

    def enter(self, module: str) -> int:
        """Have a process that no other module was in; its number, counted from 1."""
        if self._home is None:
            self._start()
        elif self._used_up or module != self._module:
            self._renew()
        self._module = module
        return self._process

    def ask(self, question: Message, seconds: float) -> Message:
        """One answer; a worker that is lost on it is the method's failure."""
        assert self._home is not None
        worker = self._home.worker
        try:
            return worker.ask(question, seconds)
        except WorkerError as error:
            self._used_up = True
            if not worker.alive:
                self.end()
            raise FailedError(_reason(error, seconds)) from error
        except FailedError:
            self._used_up = True
            raise

    def sheets(self) -> tuple[Sheet, Sheet]:
        """Where images are put for the worker, and where its results are taken."""
        return self._low, self._high

    def _start(self) -> None:
        self._home = home.find(self.threads)
        self._low, self._high = (Sheet(self._home.folder / name) for name in ("low", "high"))
        self._begin()

    def _renew(self) -> None:
        assert self._home is not None
        try:
            self._home.worker.renew()
        except WorkerError:  # no fork on this system, or what was in it has killed it meanwhile
            self.end()
            self._start()
        else:
            self._begin()

    def _begin(self) -> None:
        assert self._home is not None
        self._used_up = False
        self._process += 1
        about = {"path": sys.path, "threads": self.threads, "memory": self.memory, "device": str(self.device)}
        self.ask({"ask": "begin", "folder": str(self._home.folder)} | about, self.timeout)


class RemoteUpsampler:
    """An upsampler behind walls; used as `upbench.bench.upsampler.Upsampler` is.

    `native` says whether it works on arrays of its own.
    """

    def __init__(self, walls: Walls, adapter: Adapter, scale: int, dtype: torch.dtype, check: bool) -> None:
        """Build it in the worker."""
        self._walls, self._adapter, self._scale = walls, adapter, scale
        self._dtype = str(dtype).removeprefix("torch.")
        self._left = walls.total
        self._build(check)

    def _build(self, check: bool) -> None:
        self._process = self._walls.enter(self._adapter.module)
        self._key = str(next(self._walls._keys))
        question = {"ask": "build", "key": self._key, "method": self._adapter.source, "scale": self._scale}
        self.native = bool(self._ask(question | {"dtype": self._dtype, "check": check})["native"])

    def attempt(self, low: Tensor) -> Tensor:
        """Upsample `(N, C, H, W)` to `(N, C, scale*H, scale*W)`; raises `SkippedError` or `FailedError`."""
        if self._walls.enter(self._adapter.module) != self._process:
            self._build(check=False)
        put, taken = self._walls.sheets()
        try:
            about = put.put(low)
        except OSError as error:
            raise FailedError(f"there is no room for its images: {error}") from error
        answer = self._ask({"ask": "attempt", "key": self._key, "scale": self._scale, "low": about})
        return taken.take(answer["high"]).to(low.device)

    def _ask(self, question: Message) -> Message:
        if self._left <= 0:
            raise FailedError(f"its answers took longer than {self._walls.total:g} s in all")
        start = time.monotonic()
        try:
            return self._walls.ask(question, min(self._walls.timeout, self._left))
        finally:
            self._left -= time.monotonic() - start


def _reason(error: WorkerError, seconds: float) -> str:
    if error.status is None:
        return f"it gave no answer in {seconds:g} s" if "hung" in str(error) else str(error)
    return f"the process died ({f'signal {-error.status}' if error.status < 0 else f'exit code {error.status}'})"
