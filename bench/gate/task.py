"""One cell inside a worker: its call, its inputs in fresh memory, and short timed blocks of calls."""

import contextlib
import functools
import gc
import random
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from upbench.bench.adapters import Adapter
from upbench.bench.cells import Cell, workload
from upbench.bench.conformance import conforming
from upbench.bench.errors import SkippedError
from upbench.bench.inputs import MEMORY_FORMATS, different_images
from upbench.bench.memory import peak_bytes
from upbench.bench.speed.clocks import clock_for
from upbench.bench.speed.timed import call_of, forward_of
from upbench.bench.upsampler import Upsampler, build

INPUTS = 3  # rotated inside a block
_images = functools.cache(different_images)  # shared by all cells that take the same: a timed call gets copies
HEAP_BYTES = 256 << 20
SHIFT_BYTES = 64 << 20
ELEMENTS_A_THREAD = 1 << 17  # torch gives a thread at least 2**15 of them
# Untimed calls before the clock starts: a share of those that are timed, and one at least; then one on a small corner
# of an input. Behind the other side's block, or with memory as the last large call left it, a call takes up to 20 %
# longer, now more, now less: without either a visit's ratio spreads 1.3 to 3.5 times as far.
WARMING = 0.25
FILLER_BYTES = 1 << 18  # the largest hole before an input: many pages, so that page offsets vary


@dataclass(slots=True, kw_only=True)
class Task:
    """A checked upsampler, the call that is timed, and the inputs of its cell."""

    cell: Cell
    upsampler: Upsampler
    call: Callable[[Any], Any]
    inputs: tuple[Tensor, ...]
    kept: list[Any] = field(default_factory=list)

    @classmethod
    def build(cls, cell: Cell, adapter: Adapter, *, check: bool = True) -> "Task":
        """Build and check the method; raises `SkippedError` or `FailedError` with the reason."""
        dtype = getattr(torch, cell.dtype)
        make = conforming if check else build
        upsampler = make(adapter, cell.scale, torch.device(cell.device), dtype)
        inputs = _images(workload(cell.workload).shape, cell.dtype, cell.device, cell.memory_format, INPUTS)
        _wake(cell.threads)
        return cls(cell=cell, upsampler=upsampler, call=call_of(cell, upsampler), inputs=inputs)

    def block(self, calls: int, seed: int, planted: float = 1.0) -> dict[str, float]:
        """Time `calls` calls, after a quarter as many untimed ones and one on a small corner of an input.

        Returns `seconds` of the whole block on the cell's clock, `wall` seconds, and minor page `faults` in it.
        `planted` above 1 has a bare loop over the clock fill the block up to that multiple of its time. (Further calls
        would speed up the next block: 15 % planted so in `bicubic-antialias` in training read as 10 %.)
        """
        torch.set_num_threads(self.cell.threads)
        natives = self._scatter(random.Random(seed), min(calls, INPUTS))
        turns = [natives[index % len(natives)] for index in range(calls)]
        corner = self.native(self.inputs[0][:1, :, :8, :8].clone())
        clock, on_cuda = self._clock(), torch.device(self.cell.device).type == "cuda"
        if on_cuda:  # whole calls are planted
            turns += turns[:1] * round(len(turns) * (planted - 1))
        with self.mode(), _collector_off():
            for native in [*turns[: max(1, int(calls * WARMING))], corner]:
                self.call(native)
            if on_cuda:
                torch.cuda.synchronize()
            faults, wall, start = _minor_faults(), time.perf_counter(), clock()
            for native in turns:
                self.call(native)
            stop = clock()
            if planted > 1 and not on_cuda:
                stop = _wait(clock, start + (stop - start) * planted)
            seconds = stop - start  # on CUDA this waits
            faults, wall = _minor_faults() - faults, time.perf_counter() - wall
        return {"seconds": seconds, "wall": wall, "faults": faults}

    def _clock(self) -> Callable[[], Any]:
        """With one CPU thread the time that our process had a core: what others take of it is not the method's.

        On a machine shared with other work this repeats several times better than a clock on the wall
        (README, "The version gate"). With more threads the wall clock, on CUDA events.
        """
        one_thread = self.cell.device == "cpu" and self.cell.threads == 1
        return time.process_time if one_thread else clock_for(self.cell.device)

    def _scatter(self, generator: random.Random, count: int) -> list[Any]:
        """`count` inputs in fresh memory, with holes of random size between them, as the method takes them.

        Random layout: Curtsinger & Berger, "Stabilizer", ASPLOS 2013.
        """
        self.kept = []
        natives = []
        for low in self.inputs[:count]:
            size = generator.randrange(64, FILLER_BYTES)
            self.kept.append(torch.empty(size, dtype=torch.uint8, device=self.cell.device))
            natives.append(self.native(low.clone()))
        self.kept.extend(natives)
        return natives

    def native(self, low: Tensor) -> Any:
        """The input as the timed call takes it."""
        return low if self.cell.step == "train" else self.upsampler.prepare(low)

    def mode(self) -> contextlib.AbstractContextManager[Any]:
        """Inference mode, or for training none."""
        return contextlib.nullcontext() if self.cell.step == "train" else torch.inference_mode()

    def output(self, low: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
        """The method's image of `low` `(N, C, H, W)` float32 on [0, 1], in the cell's dtype; compiled where that is.

        Compiled code may round otherwise, so that a release may change its pixels and none of the eager ones.
        """
        dtype = getattr(torch, self.cell.dtype)
        image = torch.from_numpy(low)
        given = (image * 255).round().to(dtype) if dtype == torch.uint8 else image.to(dtype)
        given = given.to(self.cell.device).contiguous(memory_format=MEMORY_FORMATS[self.cell.memory_format])
        forward = forward_of(self.cell, self.upsampler)
        with torch.inference_mode():
            high = self.upsampler.restore(forward(self.upsampler.prepare(given))).cpu().contiguous()
        result: npt.NDArray[Any] = (high.float() if high.dtype == torch.bfloat16 else high).numpy()
        return result

    def peak_bytes(self) -> int:
        """The most that one call has allocated at a time through torch, its result included.

        Raises `SkippedError` for a library that allocates apart from torch.
        """
        if self.upsampler.native:
            raise SkippedError("it allocates memory apart from torch")
        native = self.native(self.inputs[0])
        with self.mode():
            self.call(native)
            return peak_bytes(functools.partial(self.call, native), self.cell.device)


def _wake(threads: int) -> None:
    """Have all threads that will work: each is given its core before the first block."""
    torch.set_num_threads(threads)
    if threads > 1:
        torch.ones(threads * ELEMENTS_A_THREAD).exp()


@contextlib.contextmanager
def _collector_off() -> Iterator[None]:
    gc.collect(0)
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _minor_faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def stretch_heap() -> Tensor:
    """Give the held-still heap pages for whatever a call asks: memory that is touched once and freed.

    The tensor that comes back is to be kept: of random size, it shifts all that follows it in the heap.
    """
    shift = torch.empty(random.randrange(SHIFT_BYTES), dtype=torch.uint8)
    torch.ones(HEAP_BYTES, dtype=torch.uint8)
    return shift


def _wait(clock: Callable[[], float], due: float) -> float:
    """Keep the core busy until the clock says `due`, or what it then says."""
    while (now := clock()) < due:
        pass
    return now
