"""Is the gate to be believed? Measured with one version against itself, on the machine at hand: `upbench trial`.

With nothing changed every SLOWER or FASTER is a false alarm; with 5 % planted in half of the methods, with 3 % at a
threshold of 1 % and 1 % at one of 0.5 %, in training, with two threads and in channels_last, what was planted is to be
found; and a comparison is killed at random moments. Each run keeps its own folder; started again, the trial goes on
where it was. `trial.json` and `trial.md` are rewritten after each run. The whole takes about two hours.
"""

import math
import os
import time
from collections.abc import Sequence
from pathlib import Path

from upbench.bench import host
from upbench.bench.errors import UsageError
from upbench.bench.gate import stage
from upbench.bench.gate.trial.kills import KILL_SECONDS, kill_often
from upbench.bench.gate.trial.request import PARTS, TrialPart, TrialRequest
from upbench.bench.gate.trial.table import table
from upbench.bench.lock import alone_in_its_folder
from upbench.bench.processor import cpu_model
from upbench.bench.stage import Ending, Outcome, Progress, Silent
from upbench.bench.store import read_json, write_json, write_text

SURVEY_SECONDS = 30.0
KEPT = ("cell", "verdict", "reason", "planted", "ratio", "low", "high", "floor", "detectable", "pairs")


@alone_in_its_folder
def run(request: TrialRequest, out: Path, progress: Progress) -> Outcome:
    """Run what is missing, then say the table; raises `UsageError` where the folder holds another trial."""
    asked = [(part, number) for part in request.parts() for number in range(1, part.runs + 1)]
    missing = [(part, number) for part, number in asked if not _is_there(request, _folder(out, part, number))]
    kills = sum(not (out / "killed" / f"kill-{number:02d}.json").is_file() for number in range(1, request.kills + 1))
    progress.say(f"trial: {len(missing)} runs and {kills} kills to do, {_estimate(request, missing, kills)}.")
    for part, number in missing:
        _run(request, part, number, _folder(out, part, number), progress)
        _report(request, out)
    kill_often(request.duet(), out / "killed", request.kills, progress)
    progress.say(_report(request, out))
    return Outcome(stage="trial", ending=Ending.OK)


def _folder(out: Path, part: TrialPart, number: int) -> Path:
    return out / f"{part.name}-{number:02d}"


def _is_there(request: TrialRequest, folder: Path) -> bool:
    """Whether the run is finished; raises `UsageError` where it is one of another version or device."""
    path = folder / "trial-run.json"
    if not path.is_file():
        return False
    found = read_json(path)
    of = {name: found.get(name, getattr(request, name)) for name in ("version", "device")}
    if of != {name: getattr(request, name) for name in of}:
        raise UsageError(f"{folder} is of a trial of {of['version']} on {of['device']}; give another --out.")
    return True


def _estimate(request: TrialRequest, missing: Sequence[tuple[TrialPart, int]], kills: int) -> str:
    """At most so long: each run's budget and what its survey takes, and half of the longest life of a killed one."""
    seconds = sum(request.duet(part, number).budget + SURVEY_SECONDS for part, number in missing)
    return f"at most about {math.ceil((seconds + kills * KILL_SECONDS / 2) / 60)} minutes"


def _run(request: TrialRequest, part: TrialPart, number: int, out: Path, progress: Progress) -> None:
    start = time.monotonic()
    progress.say(f"{out.name} ...")
    try:
        code = int(stage.run(request.duet(part, number), out, Silent()).ending)
    except UsageError as refused:  # the threshold is under this machine's noise: the cells say by how much
        progress.say(f"  {refused}")
        code = int(Ending.USAGE)
    (comparison,) = read_json(out / "versions.json")["comparisons"]
    cells = [{name: cell[name] for name in KEPT} for cell in comparison["cells"]]
    of = {"version": request.version, "device": request.device}
    about = {"part": part.name, "code": code, "seconds": time.monotonic() - start, "load": os.getloadavg()}
    write_json(out / "trial-run.json", of | about | {"cells": cells})


def _report(request: TrialRequest, out: Path) -> str:
    """Write `trial.json` and `trial.md`; returns the table."""
    folders = list(dict.fromkeys(folder.resolve() for folder in (out, *request.also)))
    runs = [read_json(path) for folder in folders for path in sorted(folder.glob("*/trial-run.json"))]
    kills = [read_json(path) for folder in folders for path in sorted(folder.glob("killed/kill-*.json"))]
    about = f"{cpu_model()}, {os.cpu_count()} cores, torch {request.version}, on {request.device}"
    about += f", and {len(folders) - 1} more trials" if len(folders) > 1 else ""
    text = table(about, PARTS, runs, kills)
    write_text(out / "trial.md", text + "\n")
    write_json(out / "trial.json", {"host": host.fingerprint(), "runs": runs, "kills": kills})
    return text
