"""Files in, files out: whole or not at all, and nothing measured is lost.

A finished file is written to a temporary name and renamed. While a stage runs, each result is appended to a
journal beside it; an interrupted stage that is started again with the same request reads its journal first.
Format versions: 1 is the first of every file.
"""

import csv
import json
import math
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from upbench.bench.errors import UsageError

FORMAT = 1


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder; on success it is renamed to `path`, on failure removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a whole text file, or leave the old one as it was."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_csv(path: Path, rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Write these columns of the rows, in full precision; what a row does not have is empty."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({name: None if _is_nan(row.get(name)) else row.get(name) for name in columns})


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def write_json(path: Path, document: dict[str, Any]) -> None:
    """Write a JSON object with its format version."""
    write_text(path, json.dumps({"format": FORMAT} | document, indent=1) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object written by us; raises `UsageError` when it is missing, damaged or of a newer format."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(f"There is no file {path}.") from error
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as JSON; measure again, or remove it.") from error
    if not isinstance(document, dict) or document.get("format", FORMAT) > FORMAT:
        raise UsageError(f"{path} was written by a newer upbench; upgrade to read it.")
    return document


class Journal:
    """Results of a stage that is under way, one JSON line each, after a line that says what was asked.

    `rows` holds what an interrupted run with the same request had already measured. A half-written last line
    is dropped. `finish` removes the file once the stage's own file stands.
    """

    def __init__(self, path: Path, request: dict[str, Any]) -> None:
        """Open or resume the journal at `path`; a journal of another request is started anew."""
        self.path = path
        self.rows: list[dict[str, Any]] = []
        header = json.loads(json.dumps({"format": FORMAT, "request": request}))
        lines = _whole_lines(path)
        if lines and lines[0] == header:
            self.rows = lines[1:]
        write_text(path, "".join(json.dumps(line) + "\n" for line in [header, *self.rows]))

    def reload(self) -> None:
        """Read what another process has appended meanwhile."""
        self.rows = _whole_lines(self.path)[1:]

    def append(self, row: dict[str, Any]) -> None:
        """Add one result; it is on disk when this returns."""
        self.rows.append(row)
        append_row(self.path, row)

    def finish(self) -> None:
        """The stage's file is written: the journal has done its work."""
        self.path.unlink(missing_ok=True)


def append_row(path: Path, row: dict[str, Any]) -> None:
    """Append one JSON line; it is on disk when this returns."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row, default=str) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _whole_lines(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    lines = []
    for text in path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True):
        try:
            line = json.loads(text)
        except ValueError:
            break
        if not text.endswith("\n") or not isinstance(line, dict):
            break
        lines.append(line)
    return lines
