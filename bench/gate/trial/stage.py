"""Is the gate to be believed? Measured with one version against itself, on the machine at hand: `upbench trial`.

With nothing changed every SLOWER or FASTER is a false alarm; with 5 % planted in half of the methods, with 3 % at a
threshold of 1 % and 1 % at one of 0.5 %, in training, with two threads and in channels_last, what was planted is to be
found; and a comparison is killed at random moments. Each run keeps its own folder; started again, the trial goes on
where it was. `trial.json` and `trial.md` are rewritten after each run. The whole takes about two hours.
"""

import os
import time
from pathlib import Path

from upbench.bench import host
from upbench.bench.errors import UsageError
from upbench.bench.gate import stage
from upbench.bench.gate.trial.kills import kill_often
from upbench.bench.gate.trial.request import PARTS, TrialPart, TrialRequest
from upbench.bench.gate.trial.table import table
from upbench.bench.lock import alone_in_its_folder
from upbench.bench.stage import Ending, Outcome, Progress, Silent
from upbench.bench.store import read_json, write_json, write_text

KEPT = ("cell", "verdict", "reason", "planted", "ratio", "low", "high", "floor", "detectable", "pairs")


@alone_in_its_folder
def run(request: TrialRequest, out: Path, progress: Progress) -> Outcome:
    """Run what is missing, then say the table."""
    for part in request.parts():
        for number in range(1, part.runs + 1):
            _run(request, part, number, out / f"{part.name}-{number:02d}", progress)
            _report(request, out)
    kill_often(request.duet(), out / "killed", request.kills, progress)
    progress.say(_report(request, out))
    return Outcome(stage="trial", ending=Ending.OK)


def _run(request: TrialRequest, part: TrialPart, number: int, out: Path, progress: Progress) -> None:
    if (out / "trial-run.json").is_file():
        return
    start = time.monotonic()
    progress.say(f"{out.name} ...")
    try:
        code = int(stage.run(request.duet(part, number), out, Silent()).ending)
    except UsageError as refused:  # the threshold is under this machine's noise: the cells say by how much
        progress.say(f"  {refused}")
        code = int(Ending.USAGE)
    (comparison,) = read_json(out / "versions.json")["comparisons"]
    cells = [{name: cell[name] for name in KEPT} for cell in comparison["cells"]]
    about = {"part": part.name, "code": code, "seconds": time.monotonic() - start, "load": os.getloadavg()}
    write_json(out / "trial-run.json", about | {"cells": cells})


def _report(request: TrialRequest, out: Path) -> str:
    """Write `trial.json` and `trial.md`; returns the table."""
    runs = [read_json(path) for path in sorted(out.glob("*/trial-run.json"))]
    kills = [read_json(path) for path in sorted(out.glob("killed/kill-*.json"))]
    about = f"{host.cpu_model()}, {os.cpu_count()} cores, torch {request.version}, on {request.device}"
    text = table(about, PARTS, runs, kills)
    write_text(out / "trial.md", text + "\n")
    write_json(out / "trial.json", {"host": host.fingerprint(), "runs": runs, "kills": kills})
    return text
