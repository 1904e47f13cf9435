"""Is the gate to be believed? Measured with one torch version against itself, on the machine at hand.

`python -m upbench.bench.gate.trial --version 2.15.0` makes comparisons of a version with itself: with nothing changed
(every SLOWER or FASTER is a false alarm), with 5 % planted in half of the methods, with 3 % at a threshold of 1 % and
1 % at one of 0.5 %, in training, with two threads and in channels_last; and it kills a comparison 20 times at random
moments. Every run is `upbench duet` and keeps its own folder; started again, the trial goes on where it was.
`trial.json` and `trial.md` are rewritten after each run. About two hours; `--only` and `--scale` make it less.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from upbench.bench import host
from upbench.bench.gate.request import DEFAULT_METHODS
from upbench.bench.store import read_json, write_json, write_text

KILL_SECONDS = 45.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Runs of one kind: how many, with which factor planted, at which threshold, with which further `options`."""

    name: str
    runs: int
    factor: float = 1.0
    threshold: str = "3%"
    extra: tuple[str, ...] = ()

    def options(self, number: int) -> list[str]:
        """Options of one run; odd runs plant in one half of the methods, even runs in the other."""
        chosen = DEFAULT_METHODS[number % 2 :: 2] if self.factor > 1 else ()
        planted = [f"{method}={self.factor}" for method in chosen]
        return ["--threshold", self.threshold, *self.extra, *(["--plant", *planted] if planted else [])]


PARTS = (
    Part(name="same", runs=20),
    Part(name="planted-5", runs=5, factor=1.05),
    Part(name="planted-3", runs=5, factor=1.03, threshold="1%"),
    Part(name="planted-1", runs=3, factor=1.01, threshold="0.5%", extra=("--budget", "5m")),
    Part(name="train", runs=2, factor=1.05, extra=("--pass", "train")),
    Part(name="threads-2", runs=2, factor=1.05, extra=("--threads", "2")),
    Part(name="channels-last", runs=2, factor=1.05, extra=("--memory-formats", "channels_last")),
)


def parts(scale: float, only: Sequence[str] = ()) -> list[Part]:
    """The whole trial, or a share of it, or some of its parts."""
    chosen = [part for part in PARTS if not only or part.name in only]
    return [replace(part, runs=max(1, round(part.runs * scale))) for part in chosen]


def main(argv: Sequence[str] | None = None) -> int:
    """Run what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version", default="2.15.0", help="a release, a python or a virtual environment")
    parser.add_argument("--out", type=Path, default=Path("reports/out/trial"), metavar="DIR")
    parser.add_argument("--environments", type=Path, default=Path(".nox"), metavar="DIR")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the runs (default: all of them)")
    parser.add_argument(
        "--only", nargs="+", default=[], choices=[part.name for part in PARTS], help="these parts alone"
    )
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N (default: cpu)")
    parser.add_argument("--kills", type=int, default=20, help="how often a run is killed (default: 20)")
    arguments = parser.parse_args(argv)
    command = [sys.executable, "-m", "upbench.bench.cli.main", "duet"]
    command += ["--baseline", arguments.version, "--candidate", arguments.version]
    command += ["--environments", str(arguments.environments), "--device", arguments.device]
    for part in parts(arguments.scale, arguments.only):
        for number in range(1, part.runs + 1):
            _run(command, part, number, arguments.out / f"{part.name}-{number:02d}")
            _report(arguments)
    _kill_often(command, arguments.out / "killed", arguments.kills)
    print(_report(arguments))
    return 0


def _run(command: list[str], part: Part, number: int, out: Path) -> None:
    if (out / "trial-run.json").is_file():
        return
    start = time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    print(f"{out.name} ...", flush=True)
    with (out / "log").open("w", encoding="utf-8") as log:
        done = subprocess.run([*command, *part.options(number), "--out", str(out)], stdout=log, stderr=log, check=False)
    (comparison,) = read_json(out / "versions.json")["comparisons"]
    cells = [{name: cell[name] for name in KEPT} for cell in comparison["cells"]]
    seconds = time.monotonic() - start
    write_json(
        out / "trial-run.json",
        {"part": part.name, "code": done.returncode, "seconds": seconds, "load": os.getloadavg(), "cells": cells},
    )


KEPT = ("cell", "verdict", "reason", "planted", "ratio", "low", "high", "floor", "detectable", "pairs")


def _report(arguments: argparse.Namespace) -> str:
    """Write `trial.json` and `trial.md`; returns the table."""
    runs = [read_json(path) for path in sorted(arguments.out.glob("*/trial-run.json"))]
    kills = [read_json(path) for path in sorted(arguments.out.glob("killed/kill-*.json"))]
    lines = [HEAD, "|---|---:|---:|---:|---:|---:|---:|---:|"]
    for part in PARTS:
        lines += _lines(part, [run for run in runs if run["part"] == part.name])
    bad = [kill for kill in kills if kill["left_alive"] or kill["unreadable"] or kill["lost_rows"]]
    if kills:
        lines.append(f"| killed at a random moment | {len(kills)} | | {len(bad)} with a fault | | | | |")
    about = f"{host.cpu_model()}, {os.cpu_count()} cores, torch {arguments.version}, on {arguments.device}"
    table = "\n".join([f"{about}:", "", *lines])
    write_text(arguments.out / "trial.md", table + "\n")
    write_json(arguments.out / "trial.json", {"host": host.fingerprint(), "runs": runs, "kills": kills})
    return table


HEAD = "| part | runs | cells | false alarms | found | UNRESOLVED | BIMODAL | seconds a run |"


def _lines(part: Part, runs: list[dict[str, Any]]) -> list[str]:
    """One row for the cells left alone, and one for the planted ones; bounds are one-sided, of 95 %."""
    if not runs:
        return []
    cells = [cell for run in runs for cell in run["cells"] if cell["verdict"] not in ("SKIPPED", "FAILED")]
    alone = [cell for cell in cells if cell["planted"] == 1]
    planted = [cell for cell in cells if cell["planted"] != 1]
    alarms = sum(cell["verdict"] in ("SLOWER", "FASTER") for cell in alone)
    mean = sum(run["seconds"] for run in runs) / len(runs)
    longest = max(run["seconds"] for run in runs)
    rows = [
        f"| {part.name}: unchanged, threshold {part.threshold} | {len(runs)} | {len(alone)}"
        f" | {alarms} (at most {at_most(alarms, len(alone)):.2%}) | | {_open(alone)}"
        f" | {mean:.0f} (up to {longest:.0f}) |"
    ]
    if planted:
        fair = [cell for cell in planted if cell["verdict"] != "BIMODAL"]
        found = sum(cell["verdict"] == "SLOWER" for cell in fair)
        rows.append(
            f"| {part.name}: planted x{part.factor:g} | {len(runs)} | {len(planted)} | | {found} of {len(fair)}"
            f" (at least {at_least(found, len(fair)):.1%}) | {_open(planted)} | |"
        )
    return rows


def _open(cells: list[dict[str, Any]]) -> str:
    """UNRESOLVED and BIMODAL, each as a number and a share."""
    numbers = (sum(cell["verdict"] == verdict for cell in cells) for verdict in ("UNRESOLVED", "BIMODAL"))
    return " | ".join(f"{number} ({number / max(1, len(cells)):.1%})" for number in numbers)


def at_most(count: int, whole: int) -> float:
    """Upper 95 % bound of a share (Clopper & Pearson, "The use of confidence or fiducial limits", Biometrika 1934)."""
    from scipy import stats

    return 1.0 if count >= whole else float(stats.beta.ppf(0.95, count + 1, whole - count))


def at_least(count: int, whole: int) -> float:
    """Lower 95 % bound of a share."""
    return 1 - at_most(whole - count, whole)


def _kill_often(command: list[str], out: Path, times: int) -> None:
    """Start one comparison again and again, and end each start with SIGKILL at a random moment."""
    out.mkdir(parents=True, exist_ok=True)
    journal = out / "versions.journal"
    for number in range(1, times + 1):
        result = out / f"kill-{number:02d}.json"
        if result.is_file():
            continue
        before = len(list(_rows(journal)))
        process = subprocess.Popen([*command, "--out", str(out)], stdout=subprocess.DEVNULL)
        moment = random.uniform(1, KILL_SECONDS)
        try:
            process.wait(timeout=moment)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        write_json(result, {"after_seconds": moment, **_inspect(out, journal, before, process)})
        print(f"kill {number}: {result.read_text()}", flush=True)


def _inspect(out: Path, journal: Path, before: int, process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    """What the killed run left behind: workers, unreadable files, fewer rows than were there before."""
    time.sleep(1)
    finished = process.returncode >= 0
    after = len(list(_rows(journal)))
    return {
        "finished": finished,
        "left_alive": _workers_of(process.pid),
        "unreadable": [path.name for path in out.glob("*.json") if not _readable(path)],
        "rows": after,
        "lost_rows": 0 if finished else max(0, before - after),
    }


def _rows(journal: Path) -> Iterator[Any]:
    """The journal's whole lines."""
    if journal.is_file():
        for line in journal.read_text(encoding="utf-8").splitlines(keepends=True):
            if line.endswith("\n"):
                yield json.loads(line)


def _readable(path: Path) -> bool:
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return True


def _workers_of(parent: int) -> list[int]:
    """Live workers that were started by that process: its number is their last argument."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue  # it ended meanwhile
        if b"upbench.bench.workers.serve" in words and str(parent).encode() in words:
            found.append(int(path.parent.name))
    return found


if __name__ == "__main__":
    sys.exit(main())
