"""Stored baselines: for CI that has one torch version at hand, and the other only as a file of an earlier run.

Times are divided by a yardstick (fixed work outside torch) measured in the same processes, which takes out a
machine that is slower today; what it cannot take out is in `RUN_SPREAD`. The file: `{"format": 1, "kind":
"baseline", "environment", "host", "threads", "cells"}`; each cell holds `log_times`, one for each process: the median
over neighbouring blocks of log(seconds of a call / seconds of the yardstick). Format history: 1 is the first.
"""

import functools
import math
import random
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from upbench.bench.cells import Cell
from upbench.bench.errors import FailedError, SkippedError, UsageError
from upbench.bench.gate.crew import Crew
from upbench.bench.gate.duet import Pair, Row, calibrate
from upbench.bench.gate.gate import Say, Settings
from upbench.bench.gate.sides.environments import Environment
from upbench.bench.gate.sides.side import Question, Side
from upbench.bench.gate.survey import Survey, surveyor
from upbench.bench.gate.verdict import CONFIDENCE, POWER, Verdict, quantile
from upbench.bench.store import read_json

Record = dict[str, Any]

PROCESSES = (5, 12)  # at least, at most
BLOCKS = 10  # of a cell in each of them
BLOCK_SECONDS = 0.002  # nearly as long as the yardstick beside it
RUN_SPREAD = 0.03  # standard deviation of the log ratio between two whole runs of the same thing (README)
COMPARED = ("cpu", "cores", "cpu_capability", "system", "python", "allocator", "gpu", "flags")


def measure(side: Side, questions: Sequence[Question], settings: Settings, snapshot: Path, say: Say) -> Record:
    """One environment alone: host, and each cell's log times, or its verdict and reason.

    Raises `WorkerError` when no worker comes up.
    """
    start = time.monotonic()
    found: Record = {"threads": settings.threads, "host": {}, "cells": {}}
    say(f"{len(questions)} cells: pixels, memory, block sizes")
    with Crew([side], snapshot, settings.threads, settings.timeout) as crew:
        with surveyor() as survey:
            for question, row in crew.work(questions, functools.partial(_survey, survey), timed=False):
                found["host"] = row.pop("hosts", [found["host"]])[0]
                found["cells"][question.name] = {"method": question.method, "log_times": [], "blocks": []} | row
        for number in range(PROCESSES[1]):
            if number >= PROCESSES[0] and time.monotonic() - start > settings.budget:
                break
            say(f"process {number + 1}: {time.monotonic() - start:.0f} of {settings.budget:.0f} s spent")
            _one_process(crew, questions, found["cells"])
    return found


def _survey(survey: Survey, pair: Pair, question: Question) -> Row:
    pair.prepare(question, check=True)
    low, _ = survey.input(Cell.parse(question.name))
    request = {"ask": "output", "cell": question.name, "low": str(low), "high": str(survey.folder / "high.npy")}
    row = {"calls": calibrate(pair, question, BLOCK_SECONDS), "digest": pair.ask(0, request)["digest"]}
    try:
        row["bytes"] = pair.ask(0, {"ask": "memory", "cell": question.name})["bytes"]
    except (SkippedError, FailedError) as error:
        row["bytes_reason"] = str(error)
    return row | survey.hosts(pair)


def _one_process(crew: Crew, questions: Sequence[Question], cells: dict[str, Record]) -> None:
    asked = [question for question in questions if "verdict" not in cells[question.name]]
    random.shuffle(asked)
    for question, row in crew.work(asked, lambda pair, question: _visit(pair, question, cells[question.name]["calls"])):
        cell = cells[question.name]
        if "verdict" in row:
            cell.update(row)
        else:
            cell["log_times"].append(row["log_time"])
            cell["blocks"].append(row["blocks"])


def _visit(pair: Pair, question: Question, calls: int) -> Row:
    pair.prepare(question)
    blocks = []
    for _ in range(BLOCKS):
        unit = pair.ask(0, {"ask": "yardstick"})["seconds"]
        blocks.append((pair.block(0, question, calls)["seconds"] / calls, unit))
    return {"blocks": blocks, "log_time": float(np.median([math.log(cell / unit) for cell, unit in blocks]))}


def document(environment: Environment, found: Record) -> Record:
    """What `--save-baseline` writes."""
    about = {"label": environment.label, "torch": environment.torch, "torchvision": environment.torchvision}
    return {"kind": "baseline", "environment": about} | found


def read(path: Path) -> Record:
    """A baseline written before; raises `UsageError` for anything else."""
    stored = read_json(path)
    if stored.get("kind") != "baseline":
        raise UsageError(f"{path} is no baseline; write one with --save-baseline.")
    return stored


def check_host(stored: Record, found: Record) -> None:
    """Raise `UsageError` when the baseline was measured on another machine or under other settings."""
    if stored["threads"] != found["threads"]:
        raise UsageError(
            f"The baseline was measured with {stored['threads']} thread(s), this run with {found['threads']}."
        )
    for name in COMPARED:
        then, now = stored["host"].get(name), found["host"].get(name)
        if then != now:
            raise UsageError(
                f"The baseline was measured elsewhere: its {name} is {then!r}, here it is {now!r}."
                " Save a baseline on this machine, or compare two live versions."
            )


def comparison(stored: Record, candidate: Environment, found: Record, settings: Settings) -> Record:
    """The candidate against a stored baseline, as `versions.json` has it."""
    about = {"label": candidate.label, "torch": candidate.torch, "torchvision": candidate.torchvision}
    baseline = stored["environment"]
    return {
        "baseline": baseline | {"torchvision_reason": "", "host": stored["host"], "stored": True},
        "candidate": about | {"torchvision_reason": candidate.torchvision_reason, "host": found["host"]},
        "same": False,
        "settings": asdict(settings),
        "planted": {},
        "spent": 0.0,
        "rounds": 0,
        "cells": [compare(stored, found, name, settings.threshold) for name in found["cells"]],
    }


def compare(stored: Record, found: Record, name: str, threshold: float) -> Record:
    """A cell's row: without pairs the interval is Welch's, widened by `RUN_SPREAD`."""
    then, now = stored["cells"].get(name), found["cells"][name]
    row = dict.fromkeys(("ratio", "low", "high", "floor", "detectable", "pixels", "memory"))
    row |= {"cell": name, "method": now["method"], "planted": 1.0, "visits": [], "pairs": 0, "reason": ""}
    if then is None:
        return row | {"verdict": Verdict.SKIPPED.value, "reason": "the baseline's file does not have it"}
    if "verdict" in then:
        return row | {"verdict": Verdict.SKIPPED.value, "reason": f"baseline: {then['reason']}"}
    if "verdict" in now:
        return row | {"verdict": Verdict.FAILED.value, "reason": now["reason"]}
    return (
        row
        | judge(then["log_times"], now["log_times"], threshold)
        | {
            "calls_per_block": now["calls"],
            "pixels": {
                "status": "identical" if then["digest"] == now["digest"] else "other bits",
                "digest": now["digest"],
            },
            "memory": {"baseline_bytes": then.get("bytes"), "candidate_bytes": now.get("bytes")},
            "processes": {"baseline": then["blocks"], "candidate": now["blocks"]},
        }
    )


def judge(then: Sequence[float], now: Sequence[float], threshold: float) -> Record:
    """Verdict, ratio and interval from the log times of two runs.

    The difference of the means, with the standard error of both and of two runs as such (`RUN_SPREAD`).
    """
    if min(len(then), len(now)) < 2:
        return {"verdict": Verdict.UNRESOLVED.value, "reason": "too few processes"}
    variances = [float(np.var(values, ddof=1)) / len(values) for values in (then, now)]
    error = math.sqrt(sum(variances) + RUN_SPREAD**2)
    pairs = min(len(then), len(now))
    mean = float(np.mean(now) - np.mean(then))
    reach = error * quantile((1 + CONFIDENCE) / 2, pairs)
    needed = reach + error * quantile(POWER, pairs)
    limit = math.log1p(threshold)
    if abs(mean) + reach < limit:
        verdict = Verdict.SAME
    elif abs(mean) - reach > limit:
        verdict = Verdict.SLOWER if mean > 0 else Verdict.FASTER
    else:
        verdict = Verdict.UNRESOLVED
    return {
        "verdict": verdict.value,
        "reason": "against a stored baseline" if verdict is Verdict.UNRESOLVED else "",
        "ratio": math.exp(mean),
        "low": math.exp(mean - reach),
        "high": math.exp(mean + reach),
        "floor": math.expm1(reach),
        "detectable": math.expm1(limit + needed),
        "pairs": min(len(then), len(now)),
    }
