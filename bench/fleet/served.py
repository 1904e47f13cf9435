"""`python -m upbench.bench.fleet.served TASK.json`: a stage on a node, as on one machine, into the current folder.

A task is `{"what": ..., "asked": the request as JSON}`: probe, describe (a dataset), part (of a dataset's images), or
one of the stages. Standard output has a JSON line for each thing said; the exit status is the command's.
"""

import json
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from upbench.bench.errors import UsageError
from upbench.bench.stage import Bar, Ending, Outcome, Progress, Silent
from upbench.bench.store import write_json
from upbench.datasets.errors import DataError

FAKE = "UPBENCH_FLEET_PROBE"  # JSON that stands for a part of a probe's answer: for tests, of kinds that are not there

Asked = dict[str, Any]


class Told:
    """Progress as JSON lines; bars are the driver's, who counts rows."""

    def say(self, text: str) -> None:
        """A line about the run."""
        print(json.dumps({"say": text}), flush=True)

    def warn(self, text: str) -> None:
        """A line that a person should know."""
        print(json.dumps({"warn": text}), flush=True)

    def bar(self, label: str, unit: str, total: int, done: int = 0) -> AbstractContextManager[Bar]:
        """A bar that nobody sees."""
        return Silent().bar(label, unit, total, done)


def main(task: Asked, out: Path) -> int:
    """Do a task; a user's mistake is one sentence."""
    progress = Told()
    try:
        return int(TASKS[task["what"]](task, out, progress))
    except (UsageError, DataError) as error:
        print(json.dumps({"error": str(error)}), flush=True)
        return Ending.USAGE


def _probe(task: Asked, out: Path, progress: Progress) -> int:
    """What kind of host it is, and which one."""
    from upbench.bench import host

    boot = Path("/proc/sys/kernel/random/boot_id")
    about = host.identity() | {"boot_id": boot.read_text().strip() if boot.is_file() else str(os.getpid())}
    write_json(out / "probe.json", json.loads(json.dumps(about | json.loads(os.environ.get(FAKE, "{}")), default=str)))
    return Ending.OK


def _describe(task: Asked, out: Path, progress: Progress) -> int:
    """How many images there are, and how many of them at a time are treated alike."""
    from upbench.bench.quality import parts
    from upbench.bench.quality.request import QualityRequest

    write_json(out / "describe.json", parts.describe(QualityRequest.from_json(task["asked"]), progress))
    return Ending.OK


def _part(task: Asked, out: Path, progress: Progress) -> int:
    """Quality of a part of the images."""
    from upbench.bench.quality import parts
    from upbench.bench.quality.request import QualityRequest

    parts.measure(QualityRequest.from_json(task["asked"]), task["first"], task["last"], out, progress)
    return Ending.OK


def _speed(task: Asked, out: Path, progress: Progress) -> int:
    from upbench.bench.speed import stage
    from upbench.bench.speed.request import SpeedRequest

    return _ended(stage.run(SpeedRequest.from_json(task["asked"]), out, progress))


def _layers(task: Asked, out: Path, progress: Progress) -> int:
    from upbench.bench.layers import stage
    from upbench.bench.layers.request import LayersRequest

    return _ended(stage.run(LayersRequest.from_json(task["asked"]), out, progress))


def _duet(task: Asked, out: Path, progress: Progress) -> int:
    from upbench.bench.gate import stage
    from upbench.bench.gate.request import DuetRequest

    return _ended(stage.run(DuetRequest.from_json(task["asked"]), out, progress))


def _bench(task: Asked, out: Path, progress: Progress) -> int:
    from upbench.bench.jobs import main as job
    from upbench.bench.jobs.request import BenchRequest

    return _ended(job.run(BenchRequest.from_json(task["asked"]), out, progress))


def _ended(outcome: Outcome) -> int:
    return outcome.ending


TASKS: dict[str, Callable[[Asked, Path, Progress], int]] = {
    "probe": _probe,
    "describe": _describe,
    "part": _part,
    "speed": _speed,
    "layers": _layers,
    "duet": _duet,
    "bench": _bench,
}

if __name__ == "__main__":
    sys.exit(main(json.loads(Path(sys.argv[1]).read_text()), Path.cwd()))
