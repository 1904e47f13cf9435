"""Pairs of known outcome, kept as data: so that a change of the statistics is judged in seconds, without measuring.

`python -m upbench.bench.gate.trial.corpus keep versions.json FILE.json.gz` keeps the raw blocks of a comparison of
something with itself, with what was planted. `... judge FILE.json.gz ...` draws pairs of processes from them anew (with
replacement, from a seed), runs the whole procedure on those, and prints a table. The file: `{"format": 1, "host",
"torch", "cells": [{"cell", "planted", "pairs": [[baseline's blocks, candidate's], ...]}]}`, nanoseconds.
Format history: 1 is the first.
"""

import gzip
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from upbench.bench.errors import UsageError
from upbench.bench.gate.progress import Course, block_ratio, conclude, settle
from upbench.bench.gate.verdict import Verdict
from upbench.bench.store import FORMAT, read_json

Record = dict[str, Any]

LEAST_PAIRS = 10  # of a cell that is kept: fewer would be drawn again and again
DRAWS = 10
MOST_ROUNDS = 60  # pairs a cell may get before its budget ends


def keep(comparison: Record) -> Record:
    """A comparison's raw blocks; raises `UsageError` where the sides differ by more than what is planted."""
    if not comparison["same"]:
        raise UsageError("A corpus is of known outcome: keep a comparison of something with itself.")
    host = comparison["candidate"]["host"]
    cells = [
        {
            "cell": cell["cell"],
            "planted": cell["planted"],
            "pairs": [[visit["baseline"], visit["candidate"]] for visit in cell["visits"]],
        }
        for cell in comparison["cells"]
        if len(cell["visits"]) >= LEAST_PAIRS
    ]
    about = {"cpu": host["cpu"], "cores": host["cores"], "system": host["system"]}
    return {"host": about, "torch": comparison["baseline"]["torch"], "cells": cells}


def write(path: Path, kept: Record) -> None:
    """The same bytes for the same record."""
    text = json.dumps({"format": FORMAT} | kept, separators=(",", ":"))
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def read(path: Path) -> Record:
    """A corpus written before."""
    document: Record = json.loads(gzip.decompress(path.read_bytes()))
    return document


def judged(
    kept: Record, threshold: float, draws: int = DRAWS, seed: int = 0, rounds: int = MOST_ROUNDS
) -> list[tuple[float, Verdict]]:
    """For each drawn cell what was planted, and the verdict; all cells of a draw are judged together, as in a run."""
    generator = random.Random(seed)
    ratios = [[block_ratio(*pair) for pair in cell["pairs"]] for cell in kept["cells"]]
    found = []
    for _ in range(draws):
        courses = [Course(name=cell["cell"]) for cell in kept["cells"]]
        for _ in range(rounds):
            for course, values in zip(courses, ratios, strict=True):
                if course.verdict is None:
                    course.put(generator.choice(values), confirms=bool(course.sign))
            settle(courses, threshold)
        for course, cell in zip(courses, kept["cells"], strict=True):
            conclude(course, threshold)
            found.append((cell["planted"], course.verdict or Verdict.UNRESOLVED))
    return found


def shares(found: Sequence[tuple[float, Verdict]]) -> Record:
    """Counts of cells: unchanged, their false alarms, planted, those found, and what stayed open."""
    alone = [verdict for planted, verdict in found if planted == 1]
    planted = [verdict for factor, verdict in found if factor != 1]
    return {
        "unchanged": len(alone),
        "alarms": sum(verdict in (Verdict.SLOWER, Verdict.FASTER) for verdict in alone),
        "planted": len(planted),
        "found": planted.count(Verdict.SLOWER),
        "unresolved": [alone.count(Verdict.UNRESOLVED), planted.count(Verdict.UNRESOLVED)],
        "bimodal": [alone.count(Verdict.BIMODAL), planted.count(Verdict.BIMODAL)],
    }


def main(argv: Sequence[str]) -> int:
    """Keep a comparison, or judge what is kept."""
    if argv[0] == "keep":
        (comparison,) = read_json(Path(argv[1]))["comparisons"]
        write(Path(argv[2]), keep(comparison))
        return 0
    for name in argv[1:]:
        kept = read(Path(name))
        for threshold in thresholds(kept):
            print(f"{name}, threshold {threshold:.1%}: {json.dumps(shares(judged(kept, threshold)))}")
    return 0


def thresholds(kept: Record) -> list[float]:
    """Those at which what is planted is to be found: 3 % for 5 %, 1 % for 3 %, 0.5 % for 1 %."""
    planted = {cell["planted"] for cell in kept["cells"]}
    return [limit for factor, limit in ((1.05, 0.03), (1.03, 0.01), (1.01, 0.005)) if factor in planted] or [0.03]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
