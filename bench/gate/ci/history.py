"""The history of a watched series: a CSV file that only grows, one row for each cell and night.

Columns: `time` (UTC, ISO 8601), `branch` (the cell), `candidate`, `anchor`, `ratio` of the candidate's time to the
anchor's from one duet, `low` and `high` (its 95 % interval), `verdict`, `pixels` (digest of the candidate's image),
`host`. A time drifts with the machine it is taken on; its ratio to a pinned release, measured in turn with it, does
not. pandas reads the file as it is; so does Apache Otava, which picks one series of a file by a column of the name
`branch`: `metrics: {ratio: {direction: -1, column: ratio}}`, then `otava analyze TEST --branch CELL`.
"""

import csv
import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from upbench.bench.errors import UsageError
from upbench.bench.gate.outcome import Record
from upbench.bench.gate.sides.requirements import RELEASE


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """One row: a cell of a candidate, measured against the anchor once."""

    time: str
    branch: str
    candidate: str
    anchor: str
    ratio: float
    low: float
    high: float
    verdict: str
    pixels: str
    host: str

    def __post_init__(self) -> None:
        """Raise `ValueError` for what was never measured."""
        if datetime.fromisoformat(self.time).tzinfo is None:
            raise ValueError("the time has no zone")
        if not (self.branch and self.candidate and self.anchor):
            raise ValueError("a name is empty")
        if not 0 < self.low <= self.ratio <= self.high < float("inf"):
            raise ValueError("the ratio lies outside its interval")

    @property
    def key(self) -> tuple[str, str, str]:
        """What no two rows share."""
        return self.time, self.branch, self.candidate


COLUMNS = tuple(field.name for field in fields(Night))
NUMBERS = ("ratio", "low", "high")


def nights(comparison: Record) -> list[Night]:
    """The rows of a comparison whose baseline is the anchor; cells that were not measured have none."""
    host = comparison["candidate"].get("host") or {}
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return [
        Night(
            time=host.get("utc", now),
            branch=cell["cell"],
            candidate=_name(comparison["candidate"]),
            anchor=_name(comparison["baseline"]),
            ratio=cell["ratio"],
            low=cell["low"],
            high=cell["high"],
            verdict=cell["verdict"],
            pixels=(cell["pixels"] or {}).get("digest", ""),
            host=f"{host.get('cpu', 'unknown')}, {host.get('cores', '?')} cores",
        )
        for cell in comparison["cells"]
        if cell["ratio"] is not None
    ]


def _name(side: Record) -> str:
    """A release as it was asked for; of a python at a path the torch in it."""
    label = str(side["label"])
    return label if RELEASE.fullmatch(label) or "(" not in label else str(side["torch"])


def read(path: Path) -> tuple[list[Night], list[str]]:
    """Every row in order of time, and one sentence for each line that is damaged and left out.

    A file that is not there is an empty history. Raises `UsageError` for one that is no history at all.
    """
    if not path.is_file():
        return [], []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    if not lines or lines[0].split(",") != list(COLUMNS):
        raise UsageError(f"{path} is no history of upbench's: its first line is not {','.join(COLUMNS)}.")
    found, complaints = [], []
    for number, line in enumerate(lines[1:], 2):
        try:
            found.append(_night(line))
        except (ValueError, csv.Error) as error:
            complaints.append(f"{path}, line {number} is damaged and left out ({error}); mend it or remove it.")
    return sorted(found, key=lambda night: datetime.fromisoformat(night.time)), complaints


def _night(line: str) -> Night:
    (values,) = csv.reader([line], strict=True)
    if len(values) != len(COLUMNS):
        raise ValueError(f"{len(values)} of {len(COLUMNS)} columns")
    row: dict[str, Any] = dict(zip(COLUMNS, values, strict=True))
    return Night(**row | {name: float(row[name]) for name in NUMBERS})


def append(path: Path, rows: Sequence[Night], known: Iterable[Night]) -> int:
    """Add the rows that the file does not have yet; what stands in it is never touched. Returns how many were added.

    Raises `UsageError` where they were measured against another anchor than those `known`.
    """
    anchors = sorted({night.anchor for night in [*known, *rows]})
    if len(anchors) > 1:
        raise UsageError(f"{path} would mix ratios to {' and '.join(anchors)}; start another file for another anchor.")
    there = {night.key for night in known}
    new = [asdict(night) for night in rows if night.key not in there]
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    if not path.is_file() or not path.stat().st_size:
        writer.writeheader()
    elif not path.read_bytes().endswith(b"\n"):  # an earlier night was interrupted while it wrote
        text.write("\n")
    writer.writerows(new)
    if new:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8", newline="") as file:
            file.write(text.getvalue())
            file.flush()
            os.fsync(file.fileno())
    return len(new)
