"""One cell inside a worker: its call, its inputs in fresh memory, and short timed blocks of calls."""

import gc
import itertools
import random
import resource
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from upbench.bench.adapters import Adapter, Upsampler
from upbench.bench.cells import Cell, workload
from upbench.bench.conformance import conforming
from upbench.bench.errors import SkippedError
from upbench.bench.inputs import MEMORY_FORMATS, random_images

INPUTS = 3  # rotated inside a block, so that a remembered result cannot pass for a fast call
FILLER_BYTES = 1 << 18  # the random hole before each input: a few times a page, so that page offsets vary


@dataclass(slots=True, kw_only=True)
class Task:
    """A built upsampler with the inputs of its cell."""

    cell: Cell
    upsampler: Upsampler
    inputs: list[Tensor]
    corner: Tensor
    kept: list[Any] = field(default_factory=list)

    @classmethod
    def build(cls, cell: Cell, adapter: Adapter) -> "Task":
        """Build and check the method; raises `SkippedError` or `FailedError` with the reason."""
        dtype = getattr(torch, cell.dtype)
        upsampler = conforming(adapter, cell.scale, torch.device(cell.device), dtype)
        inputs = [
            random_images(
                workload(cell.workload).shape,
                dtype=dtype,
                device=cell.device,
                memory_format=cell.memory_format,
                seed=seed,
            )
            for seed in range(INPUTS)
        ]
        return cls(cell=cell, upsampler=upsampler, inputs=inputs, corner=inputs[0][:1, :, :8, :8].clone())

    def scatter(self, generator: random.Random, count: int) -> list[Any]:
        """`count` inputs copied into fresh memory with holes of random size between them, as the method takes them."""
        device = self.cell.device
        self.kept = []
        natives = []
        for low in self.inputs[:count]:
            self.kept.append(torch.empty(generator.randrange(64, FILLER_BYTES), dtype=torch.uint8, device=device))
            natives.append(self.upsampler.prepare(low.clone()))
        self.kept.extend(natives)
        return natives

    def block(self, calls: int, seed: int, planted: float = 1.0) -> dict[str, float]:
        """Time `calls` calls after one untimed call.

        Returns seconds of the whole block and minor page faults in it. `planted` above 1 adds that share of
        real work (the same method on a small corner of the input, until the time is full).
        """
        torch.set_num_threads(self.cell.threads)
        natives = self.scatter(random.Random(seed), min(calls, INPUTS))
        turns = [natives[index % len(natives)] for index in range(calls)]
        corner = self.upsampler.prepare(self.corner)
        clock = _clock(self.cell.device)
        with torch.inference_mode():
            self.upsampler.upsample(natives[-1])
            gc.collect(0)
            gc.disable()
            try:
                faults = _minor_faults()
                seconds = clock(self.upsampler.upsample, turns, corner, planted)
                faults = _minor_faults() - faults
            finally:
                gc.enable()
        return {"seconds": seconds, "faults": faults}

    def output(self, low: np.ndarray) -> np.ndarray:
        """The method's image of `low` `(N, C, H, W)` float32 on [0, 1], given in the cell's dtype and layout."""
        dtype = getattr(torch, self.cell.dtype)
        image = torch.from_numpy(low)
        given = (image * 255).round().to(dtype) if dtype == torch.uint8 else image.to(dtype)
        given = given.to(self.cell.device)
        given = given.contiguous(memory_format=MEMORY_FORMATS[self.cell.memory_format])
        with torch.inference_mode():
            high = self.upsampler(given).cpu().contiguous()
        return (high.float() if high.dtype == torch.bfloat16 else high).numpy()

    def peak_bytes(self) -> int:
        """The most that one call has allocated at a time through torch, its result included.

        From the CUDA allocator's statistics, or on the CPU from the profiler's record of each allocation.
        Raises `SkippedError` for a library that allocates apart from torch.
        """
        if self.upsampler.native:
            raise SkippedError("it allocates memory apart from torch")
        native = self.upsampler.prepare(self.inputs[0])
        with torch.inference_mode():
            self.upsampler.upsample(native)
            if torch.device(self.cell.device).type == "cuda":
                return _cuda_peak(self.upsampler.upsample, native)
            return _cpu_peak(self.upsampler.upsample, native)


def _cuda_peak(call: Callable[[Any], Any], native: Any) -> int:
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    call(native)
    torch.cuda.synchronize()
    return int(torch.cuda.max_memory_allocated() - before)


def _cpu_peak(call: Callable[[Any], Any], native: Any) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the profiler's remarks about its own cycles
        with torch.autograd.profiler.profile(profile_memory=True) as profile:
            call(native)
    steps = [event.nbytes() for event in profile.kineto_results.events() if event.name() == "[memory]"]
    return max(itertools.accumulate(steps), default=0)


Clock = Callable[[Callable[[Any], Any], list[Any], Any, float], float]


def _clock(device: str) -> Clock:
    return _cuda_seconds if torch.device(device).type == "cuda" else _cpu_seconds


def _cpu_seconds(call: Callable[[Any], Any], turns: list[Any], corner: Any, planted: float) -> float:
    start = time.perf_counter_ns()
    for native in turns:
        call(native)
    stop = time.perf_counter_ns()
    if planted > 1:
        stop = _plant(call, corner, start, stop, planted)
    return (stop - start) / 1e9


def _plant(call: Callable[[Any], Any], corner: Any, start: int, stop: int, planted: float) -> int:
    """Go on working until `planted` times the elapsed time is reached; ends at the nearer whole call."""
    due = start + int((stop - start) * planted)
    before = stop
    while True:
        call(corner)
        now = time.perf_counter_ns()
        if due - now < (now - before) / 2:
            return now
        before = now


def _cuda_seconds(call: Callable[[Any], Any], turns: list[Any], corner: Any, planted: float) -> float:
    extra = round(len(turns) * (planted - 1))
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize()
    begin.record()
    for native in turns + turns[:1] * extra:
        call(native)
    end.record()
    end.synchronize()
    return float(begin.elapsed_time(end)) / 1e3


def _minor_faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
