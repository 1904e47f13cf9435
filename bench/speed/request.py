"""What `upbench speed` is asked, and the cells that this means."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from upbench.bench.adapters import check_methods, names_of
from upbench.bench.cells import (
    BEYOND_CACHE,
    COPY,
    WRITE,
    Cell,
    check_axes,
    check_device,
    check_scales,
    plan,
    workload,
)
from upbench.bench.errors import UsageError
from upbench.bench.requests import Request, require_among, require_positive
from upbench.bench.workers.launch import ALLOCATORS, HELD

BATCHES = (1, 4, 16, 64, 256)
LARGEST_SWEPT = 2**28  # values of an output: 1 GiB in float32


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedRequest(Request):
    """Times of methods on workloads (names, or shapes NxCxHxW).

    `passes` are forward or train, `allocator` is memory held still, or plain as a user's process has it, `seconds` is
    the time for each cell. With `sweep`, each workload's images come in these batch sizes instead (an empty one: 1 to
    256), into `sweep.json`. A cell that takes longer than `time_limit` seconds in all fails.
    """

    methods: tuple[str, ...] | None = None
    method: tuple[str, ...] = ()
    scales: tuple[int, ...] = (2,)
    device: str = "cpu"
    dtypes: tuple[str, ...] = ("float32",)
    workloads: tuple[str, ...] = ("cifar", "image")
    memory_formats: tuple[str, ...] = ("contiguous",)
    modes: tuple[str, ...] = ("eager",)
    passes: tuple[str, ...] = ("forward",)
    threads: tuple[int, ...] = (1,)
    allocator: str = HELD
    seconds: float = 0.1
    sweep: tuple[int, ...] | None = None
    time_limit: float = 600.0

    def check(self) -> None:
        """Raise `UsageError` for a name that does not exist or a number that cannot be meant."""
        check_methods(self.methods, self.method)
        check_scales(self.scales)
        check_device(self.device)
        check_axes(self)
        require_among("allocator", (self.allocator,), ALLOCATORS)
        require_positive(threads=self.threads, sweep=self.sweep)
        if not 0 < self.seconds <= 60:
            raise UsageError("--seconds takes a time above 0 and up to 60.")
        if not self.time_limit > 0:
            raise UsageError("--time-limit takes a time above 0.")

    @property
    def name(self) -> str:
        """The stage's name, and its file's."""
        return "speed" if self.sweep is None else "sweep"

    def cells(self) -> list[Cell]:
        """The cells asked for, the plain copy of each shape among them, and the yardsticks of memory."""
        asked = plan(
            methods=[COPY, *names_of(self.methods, self.method)],
            scales=self.scales,
            workloads=self.workloads if self.sweep is None else self.batches()[0],
            devices=[self.device],
            dtypes=self.dtypes,
            memory_formats=self.memory_formats,
            modes=self.modes,
            steps=self.passes,
            threads=self.threads,
        )
        return asked + yardsticks(self.device, self.threads)

    def batches(self) -> tuple[list[str], list[str]]:
        """A sweep's shapes, and those left out because their output would be too large."""
        kept: list[str] = []
        left_out: list[str] = []
        for one, batch in itertools.product(self.workloads, self.sweep or BATCHES):
            _, c, h, w = workload(one).shape
            fits = batch * c * h * w * max(self.scales) ** 2 <= LARGEST_SWEPT
            (kept if fits else left_out).append(f"{batch}x{c}x{h}x{w}")
        return list(dict.fromkeys(kept)), list(dict.fromkeys(left_out))


def yardsticks(device: str, threads: Sequence[int]) -> list[Cell]:
    """A copy and a write far beyond any cache: their bandwidth is what the report holds all others against."""
    return plan(methods=[COPY, WRITE], scales=[1], workloads=[BEYOND_CACHE], devices=[device], threads=threads)
