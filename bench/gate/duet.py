"""Two live workers, one per torch environment, asked in turn for short blocks of the same cells.

A *pair* is one process of each side. It visits every open cell: some tens of short neighbouring blocks of each
side, in random order (Bulej et al., "Duet Benchmarking", ICPE 2020; ours interleaves instead of running both
at once). Then both processes end, because memory layout is drawn anew with each process only (`crew`).
"""

import math
import os
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from upbench.bench.cells import Cell
from upbench.bench.errors import FailedError, SkippedError
from upbench.bench.gate.sides.side import Question as Question
from upbench.bench.gate.sides.side import Side as Side
from upbench.bench.workers import ahead
from upbench.bench.workers.launch import worker_command
from upbench.bench.workers.pipes import Worker, WorkerError

SERVED = "upbench.bench.gate.served:Cells"
# On a CPU the noise of a shared machine hits some blocks hard and the others hardly. Many short ones and their middle
# halve a visit's spread against a few of 2 ms in the same time; a GPU's events are too coarse for them.
BLOCK_SECONDS = {"cpu": 0.00025, "cuda": 0.002}
BLOCKS = (6, 200)  # block pairs of a visit
# As many as take the least time in all: the square root of what a visit costs besides, over what one of them costs,
# times how far they spread inside processes over how far processes do (Cochran, "Sampling Techniques", 1977, chapter
# 10). That factor is 2.5 to 14 and more, by the cell; who is wrong by a factor of two loses some tenth.
SPREADS = 6
PAIR_SECONDS, CELL_SECONDS = 1.0, 0.03  # what a pair of processes costs once, and for each cell that it visits
WARM_BLOCKS, WARM_SECONDS = 5, 0.02  # of each side, untimed, at most
# The same in new processes, whose first ten blocks or so, of whatever cell, take up to 40 % longer, now more, now less.
NEW_BLOCKS, NEW_SECONDS = 16, 0.1
TIMEOUT_SECONDS = 60.0
COMPILING = 5  # times as long an answer may take of a cell that each process compiles first

Row = dict[str, Any]


class Pair:
    """One live process of each side, baseline first; or of one side alone, for a stored baseline."""

    def __init__(self, sides: Sequence[Side], snapshot: Path, threads: int, timeout: float, modules: str = "") -> None:
        """Start both in random order, with the `modules` imported; `WorkerError` names one that does not."""
        self.sides = sides
        self.timeout = timeout
        self.litter = 0  # pairs of processes of its interpreters that were timed (`crew`)
        self.is_new = True  # its processes have not been timed yet
        self.prepared: set[str] = set()
        environments = [side.environment(snapshot, threads) | {ahead.VARIABLE: modules} for side in sides]
        started = {
            index: Worker(worker_command(sides[index].python, SERVED), environments[index], snapshot)
            for index in random.sample(range(len(sides)), len(sides))
        }
        self.workers = [started[index] for index in range(len(sides))]
        try:
            self.hellos = [self._guard(index, worker.greet) for index, worker in enumerate(self.workers)]
        except BaseException:
            self.close()
            raise
        self._choose_cores()

    def renew(self) -> None:
        """New processes from the same interpreters; raises `WorkerError` where the system cannot fork."""
        self.prepared.clear()
        self.is_new = True
        for index, worker in enumerate(self.workers):
            self._guard(index, worker.renew)
        self._choose_cores()

    def _choose_cores(self) -> None:
        """Others in each pair: cores of a shared machine differ from each other."""
        ours = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        self.cores = random.sample(ours, len(ours))

    def place(self, question: Question) -> None:
        """Both processes on the pair's first cores, as many as the cell has threads.

        Left alone, the two threads of a short block may wake on one core and share it for a whole visit.
        """
        cores = self.cores[: Cell.parse(question.name).threads]
        for worker in self.workers:
            worker.keep_on(cores)

    def close(self) -> None:
        """End both processes."""
        for worker in self.workers:
            worker.kill()

    def ask(self, index: int, request: Row) -> Row:
        """One side's answer; errors name the side."""
        compiles = "cell" in request and Cell.parse(request["cell"]).mode == "compile"
        timeout = self.timeout * (COMPILING if compiles else 1)
        return self._guard(index, lambda: self.workers[index].ask(request, timeout))

    def _guard(self, index: int, act: Callable[[], Row]) -> Row:
        try:
            return act()
        except (SkippedError, FailedError, WorkerError) as error:
            raise type(error)(f"{self.sides[index].label}: {error}") from error

    def prepare(self, question: Question, *, check: bool = False) -> None:
        """Have every side build the cell (and check that it conforms), once for each process."""
        if question.name not in self.prepared:
            self._prepare(question, check)
        self.place(question)

    def _prepare(self, question: Question, check: bool) -> None:
        """All sides at once: nothing is timed meanwhile, and a new process spends a while on its memory."""

        def ask(index: int) -> Row:
            method = question.method_of(index)
            return self.ask(index, {"ask": "prepare", "cell": question.name, "method": method, "check": check})

        with ThreadPoolExecutor() as pool:
            answers = [pool.submit(ask, index) for index in range(len(self.workers))]
        for index, answer in enumerate(answers):
            try:
                answer.result()
            except SkippedError as error:
                if index == 0 or question.two_methods:
                    raise
                raise FailedError(f"{error} (the baseline can)") from error
        self.prepared.add(question.name)

    def block(self, index: int, question: Question, calls: int) -> Row:
        """One timed block of one side."""
        return self.ask(
            index,
            {
                "ask": "block",
                "cell": question.name,
                "calls": calls,
                "seed": random.getrandbits(31),
                "planted": question.planted(self.sides[index]),
            },
        )


def calibrate(pair: Pair, question: Question, length: float | None = None) -> int:
    """How many calls of the baseline fill a block of `length` seconds (None: as long as its device's are)."""
    length = length or BLOCK_SECONDS[Cell.parse(question.name).device.partition(":")[0]]
    calls = 1
    for _ in range(3):
        seconds = min(pair.block(0, question, calls)["seconds"] for _ in range(2))
        calls = max(1, round(calls * length / max(seconds, 1e-9)))
    return calls


def visit(pair: Pair, question: Question, calls: int, cells: int = 1) -> Row:
    """Neighbouring blocks of both sides: nanoseconds per block in order of time, faults per call.

    As many as pay where the pair visits so many `cells`. `first` holds for each block pair the side that went first,
    each side in half of them: who goes second may take a tenth longer.
    """
    pair.prepare(question)
    warm, wall = _warm(pair, question, calls)
    rounds = _paying(PAIR_SECONDS / cells + CELL_SECONDS, wall)
    blocks: list[list[Row]] = [[], []]
    first = random.sample([0, 1] * (rounds // 2), rounds)
    for leader in first:
        for index in (leader, 1 - leader):
            blocks[index].append(pair.block(index, question, calls))
    return {
        "baseline": _nanoseconds(blocks[0], "seconds"),
        "candidate": _nanoseconds(blocks[1], "seconds"),
        "wall": [_nanoseconds(side, "wall") for side in blocks],
        "first": first,
        "warm": [round(seconds * 1e9) for seconds in warm],
        "faults": [sum(block["faults"] for block in side) / rounds / calls for side in blocks],
    }


def _paying(overhead: float, wall: float) -> int:
    """How many block pairs of `wall` seconds pay in a visit that costs `overhead` seconds besides; an even number."""
    least, most = BLOCKS
    return 2 * round(min(most, max(least, SPREADS * math.sqrt(overhead / wall))) / 2)


def _warm(pair: Pair, question: Question, calls: int) -> tuple[list[float], float]:
    """Seconds of each side's last untimed block, and on the wall of both with all that belongs to them.

    Twice at least: the first call of a convolution, say, also chooses its kernel, and tells nothing of the others.
    """
    most, limit = (NEW_BLOCKS, NEW_SECONDS) if pair.is_new else (WARM_BLOCKS, WARM_SECONDS)
    pair.is_new = False
    start = time.monotonic()
    for number in range(most):
        begun = time.monotonic()
        seconds: list[float] = [pair.block(index, question, calls)["seconds"] for index in (0, 1)]
        ended = time.monotonic()
        if number and ended > start + limit:
            break
    return seconds, ended - begun


def _nanoseconds(blocks: list[Row], name: str) -> list[int]:
    return [round(block[name] * 1e9) for block in blocks]
