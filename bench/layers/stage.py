"""`upbench layers`: every training a row of `layers.csv`, with curves and a summary over seeds."""

import hashlib
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from upbench.bench import host
from upbench.bench.layers import data, statistics
from upbench.bench.layers.crew import Crew
from upbench.bench.layers.request import KEYS, LayersRequest, Trial
from upbench.bench.stage import Bar, Outcome, Progress, concluded
from upbench.bench.store import Journal, replacing, write_json

Row = dict[str, Any]

COLUMNS = (
    *KEYS,
    "status",
    "reason",
    "collapsed",
    "psnr_db",
    "start_db",
    "width",
    "hidden",
    "parameters",
    "layer_parameters",
    "macs",
    "held_bytes",
    "train_ms",
    "infer_ms",
    "infer_ratio",
    "phase_ratio",
    "start_checkerboard_levels",
    "checkerboard_levels",
    "gradient_norm",
    "layer_gradient_norm",
    "clipped_share",
    "dead_share",
    "own_levels",
    "step_peak_bytes",
    "infer_peak_bytes",
    "folded_difference",
    "folded_layer_time",
    "folded_time",
)
COUNTS = (
    "width",
    "hidden",
    "parameters",
    "layer_parameters",
    "macs",
    "held_bytes",
    "step_peak_bytes",
    "infer_peak_bytes",
)
CURVE_COLUMNS = (*KEYS, "step", "loss", "psnr_db")


def run(request: LayersRequest, out: Path, progress: Progress) -> Outcome:
    """Train what is left to train, then write the files; a journal that is not complete stays for the next time."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="upbench-layers-") as name:
        folder = Path(name)
        about = data.write(folder / "images.npz", request.dataset, request.data, progress.warn)
        progress.say(f"layers: {about}; on {request.device}.")
        journal = Journal(out / "layers.journal", _asked(request, about))
        _Work(request, journal, folder).finish(progress)
    measured = {_key(row): row | {"collapsed": statistics.collapse(row)} for row in journal.rows}
    missing = {"status": "skipped", "reason": "the budget ended before it"}
    rows = [measured.get(_key(trial.axes()), trial.axes() | missing) for trial in request.trials()]
    actual = {"device": request.device, "steps": request.actual_steps, "width": request.actual_width}
    write(out, rows, {"description": about} | actual | {"request": request.to_json()})
    if len(measured) >= len(rows):
        journal.finish()
    return concluded("layers", [row | {"cell": f"{row['layer']}, {row['task']}"} for row in rows], progress)


def _asked(request: LayersRequest, about: str) -> Row:
    """What a journal has to agree in: not where it runs side by side, for how long, or up to which seed."""
    files = [Path(layer.rpartition(":")[0]) for layer in request.layer]
    same = ("steps", "width", "batch", "device")
    return {name: request.to_json()[name] for name in same} | {
        "images": about,
        "packages": host.identity()["packages"],
        "digests": {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path.is_file()},
    }


class _Work:
    """The trainings that are left, a few at the same time."""

    def __init__(self, request: LayersRequest, journal: Journal, folder: Path) -> None:
        self.request, self.journal, self.folder = request, journal, folder
        self.deadline = time.monotonic() + request.budget if request.budget is not None else float("inf")
        self.writing, self.ended = threading.Lock(), False

    def finish(self, progress: Progress) -> None:
        """Train until all is done or the budget ends."""
        trials, done = self.request.trials(), {_key(row) for row in self.journal.rows}
        left = [trial for trial in trials if _key(trial.axes()) not in done]
        jobs = self.request.jobs
        with (
            progress.bar("layers", "training", len(trials), len(trials) - len(left)) as bar,
            ThreadPoolExecutor(jobs) as pool,
            Crew(self.folder, jobs, self.request.time_limit) as crew,
        ):
            try:
                for future in [pool.submit(self._train, trial, crew, bar) for trial in left]:
                    future.result()
            finally:
                self.ended = True

    def _train(self, trial: Trial, crew: Crew, bar: Bar) -> None:
        if self.ended or time.monotonic() > self.deadline:
            return
        sizes = {
            "steps": self.request.actual_steps,
            "width": self.request.actual_width,
            "batch": self.request.batch,
            "device": self.request.device,
            "data": str(self.folder / "images.npz"),
        }
        drop_in = self._drop_in(trial)
        row = crew.ask(asdict(trial) | sizes | {"known": bool(drop_in)})
        if row.pop("as_drop_in", False):
            row = drop_in
        row = row | trial.axes()
        with self.writing:
            if not self.ended:
                self.journal.append(row)
                bar.step(f"{row['layer']}, {trial.task}, seed {trial.seed}")

    def _drop_in(self, trial: Trial) -> Row:
        """The drop-in row of the same training, where it has been measured: the network may turn out to be the same."""
        axes = trial.axes() | {"fairness": "drop-in"}
        found = (row for row in self.journal.rows if _key(row) == _key(axes) and row["status"] == "ok")
        return {} if trial.fairness == "drop-in" else next(found, {})


def write(out: Path, rows: list[Row], about: Row) -> None:
    """Write `layers.csv`, `layers-curves.csv`, `layers-summary.csv`, `layers.json` and `host.json`."""
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    for count in COUNTS:
        table[count] = table[count].astype("Int64")
    curves = [
        {key: row[key] for key in KEYS} | dict(zip(CURVE_COLUMNS[-3:], point, strict=True))
        for row in rows
        for point in row.get("curve", ())
    ]
    _csv(out / "layers.csv", table)
    _csv(out / "layers-curves.csv", pd.DataFrame(curves, columns=list(CURVE_COLUMNS)))
    _csv(out / "layers-summary.csv", statistics.summary(table))
    write_json(out / "layers.json", about)
    write_json(out / "host.json", {"host": host.fingerprint()})


def _csv(path: Path, table: pd.DataFrame) -> None:
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False)


def _key(row: Row) -> tuple[Any, ...]:
    return tuple(row[key] for key in KEYS)
