"""What is asked once of each cell, before any timing: how many calls fill a block, pixels, memory."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from upbench.bench.cells import Cell, workload
from upbench.bench.errors import FailedError, SkippedError
from upbench.bench.gate.duet import Pair, Row, calibrate
from upbench.bench.gate.pixels import compare, picture, shrink
from upbench.bench.gate.sides.side import Question


class Survey:
    """Asks both sides of a pair; the pictures they are given lie in a folder of its own until `close`."""

    def __init__(self, folder: Path, *, times_only: bool = False) -> None:
        """Pictures and results are exchanged as files in `folder`; with `times_only` there are none."""
        self.folder, self.times_only = folder, times_only
        self.hosts_known = False

    def __call__(self, pair: Pair, question: Question) -> Row:
        """The cell's calls per block, its pixels and its memory; with the first cell, `hosts`."""
        pair.prepare(question, check=not self.times_only)
        calls = calibrate(pair, question)
        if self.times_only:
            return {"calls": calls} | self.hosts(pair)
        pixels = self._pixels(pair, question)
        return {"calls": calls, "pixels": pixels, "memory": _memory(pair, question)} | self.hosts(pair)

    def hosts(self, pair: Pair) -> Row:
        """The workers' host records, once in a survey."""
        if self.hosts_known:
            return {}
        self.hosts_known = True
        return {"hosts": [pair.ask(index, {"ask": "host"})["host"] for index in range(len(pair.workers))]}

    def _pixels(self, pair: Pair, question: Question) -> dict[str, Any]:
        cell = Cell.parse(question.name)
        low, truth = self.input(cell)
        images = [self.folder / f"side-{index}.npy" for index in (0, 1)]
        request = {"ask": "output", "cell": question.name, "low": str(low)}
        digests = [pair.ask(index, request | {"high": str(images[index])})["digest"] for index in (0, 1)]
        if digests[0] == digests[1]:
            return {"status": "identical", "digest": digests[1]}
        try:
            found = compare(np.load(images[0]), np.load(images[1]), np.load(truth), cell.dtype)
        except ValueError as error:
            raise FailedError(f"the images cannot be compared: {error}") from error
        return asdict(found) | {"digest": digests[1]}

    def input(self, cell: Cell) -> tuple[Path, Path]:
        """Files with a low-resolution picture and the high-resolution one it was made from."""
        shape = workload(cell.workload).output_shape(cell.scale)
        name = "x".join(map(str, (*shape, cell.scale)))
        low, truth = self.folder / f"low-{name}.npy", self.folder / f"truth-{name}.npy"
        if not low.exists():
            high = picture(shape)
            np.save(truth, high)
            np.save(low, shrink(high, cell.scale))
        return low, truth


@contextmanager
def surveyor(*, times_only: bool = False) -> Iterator[Survey]:
    """A survey whose files are removed at the end."""
    with tempfile.TemporaryDirectory(prefix="upbench-") as folder:
        yield Survey(Path(folder), times_only=times_only)


def _memory(pair: Pair, question: Question) -> dict[str, Any]:
    """Peak bytes that a call allocates, for each side; or why that could not be measured."""
    try:
        peaks = [pair.ask(index, {"ask": "memory", "cell": question.name})["bytes"] for index in (0, 1)]
    except (SkippedError, FailedError) as error:
        return {"reason": str(error)}
    return {"baseline_bytes": peaks[0], "candidate_bytes": peaks[1]}
