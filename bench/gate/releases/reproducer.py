"""A change as a script that needs torch alone, of at most 15 lines, and what it printed in both environments."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from upbench.bench.cells import Cell, workload
from upbench.bench.errors import FailedError
from upbench.bench.gate.edges.compare import SIZE_FORM, Case
from upbench.bench.gate.sides.side import Side
from upbench.bench.workers.launch import worker_command
from upbench.bench.workers.pipes import Worker, WorkerError

Record = dict[str, Any]

SERVED = "upbench.bench.gate.releases.scripts:Scripts"
TURNS = 2  # of both environments, in turn, where it is a time; pixels and bytes are the same each time
TIMEOUT_SECONDS = 120.0
TIMED_SECONDS = 0.5
CALLS_TIMED = (20, 300)  # as many as that time has, but no fewer than the one and no more than the other

# What each method is in torch's own words; `x` is the input, `how` is its scale or its size.
CALLS = {
    "nearest": 'F.interpolate(x, {how}, mode="nearest")',
    "nearest-exact": 'F.interpolate(x, {how}, mode="nearest-exact")',
    "bilinear": 'F.interpolate(x, {how}, mode="bilinear")',
    "bilinear-align-corners": 'F.interpolate(x, {how}, mode="bilinear", align_corners=True)',
    "bilinear-antialias": 'F.interpolate(x, {how}, mode="bilinear", antialias=True)',
    "bicubic": 'F.interpolate(x, {how}, mode="bicubic")',
    "bicubic-align-corners": 'F.interpolate(x, {how}, mode="bicubic", align_corners=True)',
    "bicubic-antialias": 'F.interpolate(x, {how}, mode="bicubic", antialias=True)',
    "transposed-random": "layer(x)",
    "pixel-shuffle": "F.pixel_shuffle(x.repeat_interleave({scale} ** 2, dim=1), {scale})",
}

CALL = """\
import torch
import torch.nn.functional as F
torch.set_num_threads({threads})
x = torch.rand{shape}.{cast}{grad}
{layer}def call():
    {body}
"""

TIMING = """\
# MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=8589934592 OMP_NUM_THREADS={threads} python this.py
import time
{call}def once(start):
    call()
    return {clock}() - start
with torch.inference_mode({inference}):
    times = sorted(once({clock}()) for _ in range({calls}))
print(torch.__version__, f"{{1e6 * times[len(times) // 4]:.1f}} us")
"""

MEMORY = """\
import itertools
{call}with torch.inference_mode({inference}):
    call()
    with torch.autograd.profiler.profile(profile_memory=True) as profile:
        call()
steps = [event.nbytes() for event in profile.kineto_results.events() if event.name() == "[memory]"]
print(torch.__version__, max(itertools.accumulate(steps), default=0), "bytes")
"""

PIXELS = """\
import torch
import torch.nn.functional as F
n, c, h, w = {shape}
x = ((torch.arange(n * c * h * w) * 37 + 101) % 256).reshape(n, c, h, w)
x = {cast}
{layout}with torch.inference_mode():
    y = {call}
print(torch.__version__, y.dtype, y.double().flatten()[:6].tolist(), y.double().sum().item())
"""


def timing(name: str, seconds: float) -> str | None:
    """A script that times a cell whose call takes so long; None where it cannot be said in so few words of torch."""
    cell = Cell.parse(name)
    if not _is_of_torch(cell):
        return None
    return TIMING.format(
        threads=cell.threads,
        call=_call(cell),
        clock="time.process_time" if cell.threads == 1 else "time.perf_counter",
        inference=cell.step != "train",
        calls=min(CALLS_TIMED[1], max(CALLS_TIMED[0], round(TIMED_SECONDS / seconds))),
    )


def memory(name: str) -> str | None:
    """A script that prints the most bytes that a call of a cell holds; None as of `timing`."""
    cell = Cell.parse(name)
    return MEMORY.format(call=_call(cell), inference=cell.step != "train") if _is_of_torch(cell) else None


def cell_pixels(name: str) -> str | None:
    """A script that prints the pixels of a cell's call; None as of `timing`."""
    cell = Cell.parse(name)
    if not _is_eager(cell):
        return None
    shape = workload(cell.workload).shape
    case = Case(shape=shape, dtype=cell.dtype, layout=cell.memory_format, factor=str(cell.scale))
    return pixels(cell.method, case.name)


def _is_eager(cell: Cell) -> bool:
    return cell.device == "cpu" and cell.mode == "eager"


def _is_of_torch(cell: Cell) -> bool:
    return _is_eager(cell) and cell.method in CALLS and cell.dtype != "uint8"


def _call(cell: Cell) -> str:
    shape, train = workload(cell.workload).shape, cell.step == "train"
    call = CALLS[cell.method].format(how=f"scale_factor={cell.scale}", scale=cell.scale)
    form = ", memory_format=torch.channels_last" if cell.memory_format == "channels_last" else ""
    sizes = f"{shape[1]}, {shape[1]}, {cell.scale}, {cell.scale}"
    layer = f"layer = torch.nn.ConvTranspose2d({sizes}, dtype=torch.{cell.dtype})\n"
    return CALL.format(
        threads=cell.threads,
        shape=shape,
        cast=f"to(torch.{cell.dtype}{form})",
        grad=".requires_grad_()" if train else "",
        layer=layer if cell.method == "transposed-random" else "",
        body=f"y = {call}; torch.autograd.grad(y, x, torch.ones_like(y))" if train else call,
    )


def pixels(method: str, case_name: str) -> str | None:
    """A script that prints the pixels of a case at the edges; None where torch alone cannot say it."""
    case = Case.parse(case_name)
    if method not in CALLS or method == "transposed-random":
        return None
    how = f"scale_factor={case.factor}" if case.factor != SIZE_FORM else "size=(2 * h, 2 * w)"
    layout = {
        "contiguous": "",
        "channels_last": "x = x.contiguous(memory_format=torch.channels_last)\n",
        "strided": "x = torch.stack([x, x], dim=-1).reshape(n, c, h, 2 * w)[..., ::2]\n",
    }[case.layout]
    cast = "x.to(torch.uint8)" if case.dtype == "uint8" else f"(x.double() / 255).to(torch.{case.dtype})"
    call = CALLS[method].format(how=how, scale=2)
    return PIXELS.format(shape=case.shape, cast=cast, layout=layout, call=call)


class Interpreters:
    """One of each side, started when they are needed; every script gets a process of its own from them."""

    def __init__(self, sides: Sequence[Side], snapshot: Path) -> None:
        """Nothing is started yet."""
        self.sides, self.snapshot = sides, snapshot
        self.workers: dict[int, Worker] = {}

    def __enter__(self) -> "Interpreters":
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End those that were started."""
        for index in list(self.workers):
            self._end(index)

    def printed(self, index: int, file: Path) -> str:
        """The last line that a script prints on a side, or why there is none."""
        try:
            worker = self._renewed(index)
            said: str = worker.ask({"ask": "run", "file": str(file)}, TIMEOUT_SECONDS)["said"]
        except FailedError as error:
            return str(error)
        except WorkerError as error:
            self._end(index)
            return str(error)
        return (said.strip().splitlines() or ["it printed nothing"])[-1]

    def _renewed(self, index: int) -> Worker:
        """A new process of a side: forked where the system can, else of a new interpreter."""
        if index in self.workers:
            try:
                self.workers[index].renew()
            except WorkerError:
                self._end(index)
            else:
                return self.workers[index]
        side = self.sides[index]
        environment = side.environment(self.snapshot, 1)
        self.workers[index] = Worker(worker_command(side.python, SERVED), environment, self.snapshot)
        self.workers[index].greet()
        return self.workers[index]

    def _end(self, index: int) -> None:
        self.workers.pop(index).kill()


def executed(script: str, interpreters: Interpreters, turns: int = 1) -> Record:
    """What the script prints in each environment, in turn so many times; and the `ratio`, or whether that `differs`."""
    said: list[list[str]] = [[], []]
    with tempfile.TemporaryDirectory(prefix="upbench-") as folder:
        file = Path(folder) / "reproducer.py"
        file.write_text(script, encoding="utf-8")
        for _ in range(turns):
            for index in (0, 1):
                said[index].append(interpreters.printed(index, file))
    return {"script": script, "baseline": said[0], "candidate": said[1]} | _shown(said)


def _shown(said: list[list[str]]) -> Record:
    """The ratio of the least times or bytes; of pixels whether what was printed behind the version differs."""
    if all(words.endswith((" us", " bytes")) for side in said for words in side):
        least = [min(float(words.split()[-2]) for words in side) for side in said]
        return {"ratio": least[1] / least[0]} if least[0] else {"differs": least[1] > 0}
    rest = [{words.partition(" ")[2] for words in side} for side in said]
    return {"differs": rest[0].isdisjoint(rest[1])}
