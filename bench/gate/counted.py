"""Run a cell a given number of times, for `counter`: `python -m upbench.bench.gate.counted WAY CELL METHOD N`.

WAY is `calls` (just run, the counting is done from outside) or `callgrind` (count, and print the count as JSON).
"""

import json
import sys
from collections.abc import Callable
from typing import Any

import torch

from upbench.bench.adapters import find
from upbench.bench.cells import Cell
from upbench.bench.gate.task import Task


def prepared(cell: str, method: str) -> Callable[[], Any]:
    """A call without arguments on one fixed input, run once already."""
    adapter = find(method)
    task = Task.build(Cell.parse(cell), adapter)
    torch.set_num_threads(1)
    native = task.native(task.inputs[0])

    def call() -> Any:
        with task.mode():
            return task.call(native)

    call()
    return call


def main(way: str, cell: str, method: str, calls: int) -> None:
    """Run, or count and print."""
    if way == "callgrind":
        print(json.dumps({"instructions": callgrind(cell, method, calls)}))
        return
    call = prepared(cell, method)
    for _ in range(calls):
        call()


def callgrind(cell: str, method: str, calls: int) -> float:
    """Instructions of one call, interpreter's own ones included."""
    from torch.utils.benchmark import Timer

    setup = f"from upbench.bench.gate.counted import prepared\ncall = prepared({cell!r}, {method!r})"
    counted = Timer("call()", setup).collect_callgrind(
        number=calls, repeats=None, collect_baseline=False, retain_out_file=False
    )
    return float(counted.counts(denoise=False)) / calls


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
