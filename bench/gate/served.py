"""What a side of the gate can be asked, inside its worker (`upbench.bench.workers.serve`): cells and their blocks."""

import hashlib
import os
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from upbench.bench import host
from upbench.bench.adapters import Adapter, find
from upbench.bench.cells import Cell
from upbench.bench.gate import task
from upbench.bench.gate.edges import calls as edge_calls
from upbench.bench.gate.edges.compare import Case
from upbench.bench.gate.sides import flags

YARDSTICK = bytes(range(256)) * 4096

Message = dict[str, Any]


def yardstick() -> float:
    """Seconds of our process for a fixed piece of work that no torch version touches: checksums of 1 MiB."""
    start = time.process_time()
    for _ in range(8):
        zlib.crc32(YARDSTICK)
    return time.process_time() - start


class Cells:
    """The cells prepared so far, by name."""

    def __init__(self) -> None:
        """No cell is prepared yet; the side's flags are in force."""
        flags.apply()
        self.shift: Any = None
        self.adapters: dict[str, Adapter] = {}
        self.tasks: dict[str, task.Task] = {}

    def prepare(self, cell: str, method: str, *, check: bool = True) -> Message:
        """Build (and check) a cell; `method` is an installed name or a spec such as `FILE.py:FACTORY`."""
        if self.shift is None and "MALLOC_TRIM_THRESHOLD_" in os.environ:  # a process that waits holds no heap
            self.shift = task.stretch_heap()
        self.tasks[cell] = task.Task.build(Cell.parse(cell), self._adapter(method), check=check)
        return {}

    def _adapter(self, method: str) -> Adapter:
        if method not in self.adapters:
            self.adapters[method] = find(method)
        return self.adapters[method]

    def block(self, cell: str, calls: int, seed: int, planted: float = 1.0) -> Message:
        """A timed block of calls."""
        return self.tasks[cell].block(calls, seed, planted)

    def yardstick(self) -> Message:
        """A timed piece of work outside torch."""
        return {"seconds": yardstick()}

    def output(self, cell: str, low: str, high: str) -> Message:
        """Write the image of the array in file `low` to file `high`; the digest is of its bytes."""
        image = self.tasks[cell].output(np.load(low))
        np.save(Path(high), image)
        return {"digest": hashlib.sha256(image.tobytes()).hexdigest(), "shape": list(image.shape)}

    def edges(self, method: str, dtype: str, device: str) -> Message:
        """Digests of a method's images at the edges of the space of shapes."""
        return {"answers": edge_calls.answers(self._adapter(method), dtype, device)}

    def edge(self, method: str, case: str, device: str, file: str) -> Message:
        """Write the image of one such case to `file`."""
        np.save(Path(file), edge_calls.picture(self._adapter(method), Case.parse(case), device))
        return {}

    def memory(self, cell: str) -> Message:
        """The most memory that a call holds."""
        return {"bytes": self.tasks[cell].peak_bytes()}

    def host(self) -> Message:
        """Where this process runs."""
        return {"host": host.fingerprint()}

    def release(self, cell: str) -> Message:
        """Forget a cell."""
        self.tasks.pop(cell, None)
        return {}
