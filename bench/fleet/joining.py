"""Several folders of one kind of host as one: the same files, each row with the host that it was measured on.

Where two folders have the same row, a measured one stands before one that failed or was skipped, and then the first
named. Quality that was measured twice has to agree.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from upbench.bench.errors import UsageError
from upbench.bench.fleet.kinds import host_of
from upbench.bench.layers.request import KEYS as TRAINING
from upbench.bench.layers.statistics import summary
from upbench.bench.quality import samples
from upbench.bench.stage import Row
from upbench.bench.store import replacing, write_json
from upbench.reports.files import read_csv, read_json, read_samples
from upbench.reports.frame import Run

QUALITY = ("degradation", "scale", "dtype", "method")
TABLES = {
    "quality.csv": QUALITY,
    "quality-per-image.csv": (*QUALITY, "image"),
    "comparisons.csv": (*QUALITY, "other"),
    "diagnostics.csv": ("method", "scale"),
    "response.csv": ("method", "scale", "frequency"),
    "deploy.csv": ("method", "scale", "road"),
    "layers.csv": TRAINING,
    "layers-curves.csv": (*TRAINING, "step"),
}
COMPARED = ("versions.json", "front.json", "allocators.json")
KEPT = ("quality.json", "layers.json", "deploy.json", "selfcheck.json")  # the first folder's
LEFT = ("watch.json", "atlas.json")  # series in time, which have no rows to join
NEEDED = {"method", "layer"}
AGREE_DB = 1e-4  # of one picture set on one kind of host


def look(run: Run) -> None:
    """Read every file that is going to be joined; raises `ReportError` for a damaged one."""
    for name, keys in TABLES.items():
        read_csv(run.folder / name, *NEEDED & set(keys))
    for name in (*COMPARED, *KEPT, *LEFT):
        read_json(run.folder / name)


def join(runs: Mapping[str, Run], out: Path) -> int:
    """Write the files of all runs (by the name of each run's host) into `out`; how many rows were there twice.

    Raises `UsageError` where two of them contradict each other.
    """
    twice = sum(_table(runs, name, keys, out / name) for name, keys in TABLES.items())
    twice += sum(_times(runs, name, out / name) for name in ("speed.json", "sweep.json"))
    for name in COMPARED:
        _comparisons(runs, name, out / name)
    for name in KEPT:
        if found := _documents(runs, name):
            write_json(out / name, next(iter(found.values())))
    _samples(runs, out / "samples.npz")
    hosts = {name: host_of(run) for name, run in runs.items()}
    write_json(out / "host.json", {"host": next(iter(hosts.values())), "hosts": hosts})
    return twice


def _table(runs: Mapping[str, Run], name: str, keys: tuple[str, ...], path: Path) -> int:
    tables = [
        table.assign(host=table.get("host", host))
        for host, run in runs.items()
        if len(table := read_csv(run.folder / name, *NEEDED & set(keys)))
    ]
    if not tables:
        return 0
    rows = pd.concat(tables, ignore_index=True)
    keys = tuple(key for key in keys if key in rows)
    if name == "quality.csv":
        _agree(rows, keys)
    kept = rows.sort_values("status", key=lambda said: said != "ok", kind="stable") if "status" in rows else rows
    kept = kept.drop_duplicates(list(keys)).sort_index()
    with replacing(path) as temporary:
        kept.to_csv(temporary, index=False)
    if name == "layers.csv":
        with replacing(path.with_name("layers-summary.csv")) as temporary:
            summary(kept).to_csv(temporary, index=False)
    return len(rows) - len(kept)


def _agree(rows: pd.DataFrame, keys: tuple[str, ...]) -> None:
    measured = rows[rows["status"] == "ok"]
    for name, same in measured.groupby(list(keys)):
        low, high = same["psnr_db"].min(), same["psnr_db"].max()
        if high - low > AGREE_DB:
            one, other, *_ = same["host"]
            raise UsageError(
                f"{one} and {other} are of one kind and disagree about the PSNR of {'/'.join(map(str, name))}:"
                f" {low:.4f} and {high:.4f} dB; one of them is damaged, or its method is another."
            )


def _times(runs: Mapping[str, Run], name: str, path: Path) -> int:
    """Cells with their blocks; the header is the first folder's."""
    documents = _documents(runs, name)
    found: dict[str, tuple[Row, Row | None]] = {}
    count = 0
    for host, document in documents.items():
        blocks = {entry["extra_info"].get("cell"): entry for entry in document.get("benchmarks", [])}
        for cell in document.get("cells", []):
            count += 1
            of = {"host": cell.get("host", host)}
            entry = blocks.get(cell["cell"])
            row = (cell | of, entry and entry | {"extra_info": entry["extra_info"] | of})
            before = found.get(cell["cell"])
            if before is None or (before[0]["status"] != "ok" and cell["status"] == "ok"):
                found[cell["cell"]] = row
    if found:
        rows = {
            "benchmarks": [entry for _, entry in found.values() if entry],
            "cells": [row for row, _ in found.values()],
        }
        write_json(path, next(iter(documents.values())) | rows)
    return count - len(found)


def _comparisons(runs: Mapping[str, Run], name: str, path: Path) -> None:
    """One after the other: each is of two sides on one host, and says which."""
    rows = [
        {"on": host} | each for host, document in _documents(runs, name).items() for each in document["comparisons"]
    ]
    if rows:
        write_json(path, {"comparisons": rows})


def _documents(runs: Mapping[str, Run], name: str) -> dict[str, dict[str, Any]]:
    return {host: found for host, run in runs.items() if (found := read_json(run.folder / name))}


def _samples(runs: Mapping[str, Run], path: Path) -> None:
    arrays: dict[str, Any] = {}
    for run in runs.values():
        arrays = read_samples(run.folder / "samples.npz") | arrays
    if arrays:
        samples.write(path, {name: torch.from_numpy(array) for name, array in arrays.items()})
