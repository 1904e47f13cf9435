"""Does a method take as long in a plain process as with memory held still? Both in turn, in one environment.

Times are taken with glibc held still, so that they repeat; a user's process is plain, and where each call gives its
pages back and asks for them anew it can take several times as long.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from upbench.bench.cells import Cell
from upbench.bench.gate.gate import Settings
from upbench.bench.gate.sides.side import Question
from upbench.bench.gate.versus import here
from upbench.bench.stage import Progress
from upbench.bench.workers.launch import HELD, PLAIN

Record = dict[str, Any]

FILE = "allocators.json"
WORTH_TELLING = 0.2  # of the time: what a plain process is slower, or faster, by


def compare(questions: Sequence[Question], out: Path, budget: float, cache: Path, progress: Progress) -> Record:
    """The duet of held (baseline) and plain (candidate) -> `allocators.json`; on Linux, of cells on the CPU.

    Raises `WorkerError` where no worker comes up.
    """
    asked = [each for each in questions if sys.platform == "linux" and Cell.parse(each.name).device == "cpu"]
    settings = Settings(threshold=WORTH_TELLING, budget=budget, edges=False, times_only=True)
    words = f"--candidate-allocator {PLAIN}"
    return here(asked, settings, out / FILE, words, (HELD, PLAIN), cache, progress)
