"""Instruction counts: a second opinion on the CPU that no other program on the machine can disturb.

With `perf stat` where the processor's counter is within reach: the cell is run with N calls and with 2N in
processes of their own, and the difference over N is a call's. Else with valgrind's callgrind through torch's own
`torch.utils.benchmark.Timer.collect_callgrind`, which takes minutes for a cell (torch's import is simulated, too).
Fewer instructions need not be less time: memory is not in the count.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from upbench.bench.errors import FailedError, SkippedError
from upbench.bench.gate.duet import Row
from upbench.bench.gate.sides.side import Question, Side

CALLS = {"perf": 50, "callgrind": 5}
TIMEOUT_SECONDS = 1800.0


def find_tool() -> str:
    """`perf` or `callgrind`, whichever works here; raises `SkippedError` with the reason when neither does."""
    if _perf_counts():
        return "perf"
    if shutil.which("valgrind"):
        return "callgrind"
    raise SkippedError("perf cannot count instructions here, and valgrind is not installed")


def _perf_counts() -> bool:
    if not shutil.which("perf"):
        return False
    done = subprocess.run(
        ["perf", "stat", "-x,", "-e", "instructions:u", "true"], capture_output=True, text=True, check=False
    )
    return done.returncode == 0 and perf_instructions(done.stderr) is not None


def perf_instructions(text: str) -> int | None:
    """The count in `perf stat -x,` output (value, unit, event, ...); None where it is not supported."""
    for line in text.splitlines():
        fields = line.split(",")
        if len(fields) > 2 and fields[2].startswith("instructions") and fields[0].isdigit():
            return int(fields[0])
    return None


def count(tool: str, python: Path, variables: Mapping[str, str], question: Question) -> float:
    """Instructions of one call of a cell in an environment; raises `FailedError` with the tool's last words."""
    if tool == "perf":
        calls = CALLS["perf"]
        few, many = (_perf(python, variables, question, times) for times in (calls, 2 * calls))
        return (many - few) / calls
    found = _run([], python, variables, question, "callgrind", CALLS["callgrind"])
    return float(json.loads(found.stdout.splitlines()[-1])["instructions"])


def _perf(python: Path, variables: Mapping[str, str], question: Question, calls: int) -> int:
    done = _run(["perf", "stat", "-x,", "-e", "instructions:u"], python, variables, question, "calls", calls)
    counted = perf_instructions(done.stderr)
    if counted is None:
        raise FailedError("perf stat gave no count")
    return counted


def _run(
    prefix: list[str], python: Path, variables: Mapping[str, str], question: Question, way: str, calls: int
) -> "subprocess.CompletedProcess[str]":
    counted = [
        str(python),
        "-m",
        "upbench.bench.gate.counted",
        way,
        question.name,
        question.method,
        str(calls),
    ]
    # callgrind's python is found through the path
    path = os.pathsep.join([str(python.parent), variables.get("PATH", "")])
    try:
        done = subprocess.run(
            [*prefix, *counted],
            env={**variables, "PATH": path},
            cwd=variables["PYTHONPATH"].split(os.pathsep)[0],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise FailedError(f"counting took more than {TIMEOUT_SECONDS:.0f} s") from error
    if done.returncode != 0:
        raise FailedError((done.stderr.strip().splitlines() or ["no message"])[-1])
    return done


def compare(sides: Sequence[Side], snapshot: Path, question: Question) -> Row:
    """Both sides' instructions a call and their ratio, or why they could not be counted."""
    try:
        tool = find_tool()
        baseline, candidate = (
            count(
                tool,
                side.python,
                side.environment(snapshot, 1),
                Question(name=question.name, method=question.method_of(index)),
            )
            for index, side in enumerate(sides)
        )
    except (SkippedError, FailedError) as error:
        return {"reason": str(error)}
    return {"tool": tool, "baseline": baseline, "candidate": candidate, "ratio": candidate / baseline}
