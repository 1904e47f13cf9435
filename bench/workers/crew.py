"""Several walls at work: each method in turn, module by module, by whichever of the workers is free.

On a CPU there is a worker for each core, of one thread each; on a GPU there is one.
"""

import collections
import contextlib
import os
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from upbench.bench.adapters import Adapter, select
from upbench.bench.errors import FailedError, SkippedError
from upbench.bench.workers.walls import Walls

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Images `(N, 3, H, W)` that every method upsamples in float32, and what is kept of each output."""

    low: Tensor
    scale: int
    keep: Callable[[Tensor], Tensor]


class Crew:
    """Walls for a device, started when they are first needed and kept until the end."""

    def __init__(self, device: torch.device, size: int | None = None) -> None:
        """`size` workers (None: one for each core, or one on a GPU)."""
        self.device = device
        self.size = size or (1 if device.type != "cpu" else os.cpu_count() or 1)
        self._walls = [Walls(device) for _ in range(self.size)]

    def __enter__(self) -> "Crew":
        """Nothing is started yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close all walls."""
        for walls in self._walls:
            walls.close()

    def require_own(self, adapters: Sequence[Adapter]) -> None:
        """Import the caller's own methods, and those with a form, in a worker before anything is measured.

        Raises `UsageError` for one whose module, factory or form is not there.
        """
        for adapter in adapters:
            if ":" in adapter.source or "@" in adapter.name:
                with contextlib.suppress(SkippedError, FailedError):  # they become rows
                    self._walls[0].summary(adapter)

    def stream(
        self, adapters: Sequence[Adapter], act: Callable[[Walls, Adapter], Iterable[T]]
    ) -> Iterator[tuple[Adapter, T]]:
        """What `act` yields for each adapter, as it comes; a worker stays with a module while there is work in it.

        Whoever stops listening (an interruption, say) ends the workers, and hears nothing of what that broke.
        """
        left = _Left(adapters)
        said: queue.SimpleQueue[tuple[Adapter, T] | BaseException | None] = queue.SimpleQueue()
        for walls in self._walls:
            threading.Thread(target=_work, args=(walls, left, act, said.put), daemon=True).start()
        working = self.size
        try:
            while working:
                heard = said.get()
                if isinstance(heard, BaseException):
                    raise heard
                if heard is None:
                    working -= 1
                else:
                    yield heard
        finally:
            left.clear()
            if working:
                for walls in self._walls:
                    walls.end()

    def each(self, adapters: Sequence[Adapter], act: Callable[[Walls, Adapter], T]) -> Iterator[tuple[Adapter, T]]:
        """What `act` makes of each adapter, in the order asked for."""
        found: dict[str, T] = {}
        waiting = collections.deque(adapters)
        for adapter, made in self.stream(adapters, lambda walls, adapter: [act(walls, adapter)]):
            found[adapter.name] = made
            while waiting and waiting[0].name in found:
                first = waiting.popleft()
                yield first, found.pop(first.name)


def required(methods: Sequence[str] | None, specs: Sequence[str], device: torch.device) -> list[Adapter]:
    """The adapters asked for, after a worker has imported the caller's own; raises `UsageError` as that does."""
    adapters = select(methods, specs)
    with Crew(device, size=1) as crew:
        crew.require_own(adapters)
    return adapters


def _work(
    walls: Walls,
    left: "_Left",
    act: Callable[[Walls, Adapter], Iterable[T]],
    say: Callable[[tuple[Adapter, T] | BaseException | None], None],
) -> None:
    """Take one adapter after the other until none is left; at the end say None, or what went wrong with us."""
    adapter = None
    try:
        while adapter := left.take(adapter):
            for made in act(walls, adapter):
                say((adapter, made))
    except BaseException as error:
        say(error)
    else:
        say(None)


class _Left:
    """The adapters that no worker has taken yet; for several threads."""

    def __init__(self, adapters: Sequence[Adapter]) -> None:
        """They are taken in this order as far as modules allow, the modules with the most of them first."""
        self._adapters, self._begun, self._taking = list(adapters), set[str](), threading.Lock()
        self._sizes = collections.Counter(adapter.module for adapter in adapters)

    def take(self, last: Adapter | None) -> Adapter | None:
        """The next for a worker that had `last`: of the same module, else of a module that nobody has begun, else any.

        So a module is imported by one worker, and by more only at the end, when they have nothing else to do.
        """
        with self._taking:
            if not self._adapters:
                return None
            chosen = min(self._adapters, key=lambda adapter: self._cost(adapter, last))
            self._begun.add(chosen.module)
            self._adapters.remove(chosen)
            return chosen

    def _cost(self, adapter: Adapter, last: Adapter | None) -> tuple[int, int]:
        if last and adapter.module == last.module:
            return 0, 0
        return 2 if adapter.module in self._begun else 1, -self._sizes[adapter.module]

    def clear(self) -> None:
        """Leave nothing to take."""
        with self._taking:
            self._adapters.clear()


def outputs(walls: Walls, adapter: Adapter, jobs: Sequence[Job]) -> list[Tensor | None]:
    """What is kept of a method's output for each job; None where it gives none."""
    return [_output(walls, adapter, job) for job in jobs]


def _output(walls: Walls, adapter: Adapter, job: Job) -> Tensor | None:
    try:
        upsampler = walls.upsampler(adapter, job.scale, torch.float32, check=False)
        return job.keep(upsampler.attempt(job.low))
    except (SkippedError, FailedError):
        return None
