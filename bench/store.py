"""Files in, files out: whole or not at all, and nothing measured is lost.

A finished file is written to a temporary name and renamed. While a stage runs, each result is appended to a
journal beside it; an interrupted stage that is started again with the same request reads its journal first.
Format versions count all files together. 1 is the first of every file. A change of any file makes a new version, and
puts what an older file needs into `MIGRATIONS`.
"""

import csv
import json
import math
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from upbench.bench.errors import UsageError

FORMAT = 1

Document = dict[str, Any]

# (file's name, its format) -> what makes it one of the next format; a file that is not named stayed as it was
MIGRATIONS: dict[tuple[str, int], Callable[[Document], Document]] = {}


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder; on success it is renamed to `path`, on failure removed.

    Raises `UsageError` where the disk is full or the folder cannot be written to.
    """
    with _writable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            temporary.chmod(0o644)
            temporary.replace(path)
        finally:
            with suppress(OSError):  # of a folder that is gone there is nothing to remove
                temporary.unlink(missing_ok=True)


@contextmanager
def _writable(path: Path) -> Iterator[None]:
    """Say an error of this file, or of the disk under it, in one sentence; errors of other files pass."""
    try:
        yield
    except OSError as error:
        if error.filename and Path(error.filename).parent != path.parent:
            raise
        raise UsageError(
            f"{path} cannot be written ({error.strerror or error}); see to the folder and its disk, then give the same"
            " command again."
        ) from error


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


def write_json(path: Path, document: Document) -> None:
    """Write a JSON object with its format version."""
    write_text(path, json.dumps({"format": FORMAT} | document, indent=1) + "\n")


def read_json(path: Path) -> Document:
    """Read a JSON object written by us, brought to today's format.

    Raises `UsageError` when it is missing, damaged, not ours, or of a newer format.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(f"There is no file {path}.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path} cannot be read as JSON; measure again, or remove it.") from error
    return migrated(document, path)


def migrated(document: Any, path: Path) -> Document:
    """What the file at `path` says, brought to today's format; raises `UsageError` where that cannot be done."""
    version = document.get("format", 1) if isinstance(document, dict) else None
    if not isinstance(version, int) or version < 1:
        raise UsageError(f"{path} is not a file of upbench's; remove it.")
    if version > FORMAT:
        raise UsageError(f"{path} was written by a newer upbench; upgrade to read it.")
    found: Document = document
    for older in range(version, FORMAT):
        migrate = MIGRATIONS.get((path.name, older), dict)
        found = migrate(found) | {"format": older + 1}
    return found


class Journal:
    """Results of a stage that is under way, one JSON line each, after a line that says what was asked.

    `rows` holds what an interrupted run had already measured: with the same request, or where `keys` are given (a
    row's name -> what decides its value), each row whose key is the same. It is read up to the first line that is
    damaged or not ours. `finish` removes the file once the stage's own file stands.
    """

    def __init__(
        self, path: Path, request: dict[str, Any], keys: Mapping[str, str] | None = None, name: str = ""
    ) -> None:
        """Open or resume the journal at `path`; `name` is the field that holds a row's name."""
        self.path = path
        self._header = json.loads(json.dumps({"format": FORMAT, "request": request, "keys": dict(keys or {})}))
        before, *rows = _whole_lines(path) or [{}]
        if keys is None:
            self.rows = rows if before == self._header else []
        else:
            known = before.get("keys") if before.get("format") == FORMAT else None
            known = known if isinstance(known, dict) else {}
            same = {row_name for row_name, key in keys.items() if known.get(row_name) == key}
            self.rows = [row for row in rows if isinstance(row.get(name), str) and row[name] in same]
        self._write()

    def reload(self) -> None:
        """Read what another process has appended meanwhile."""
        self.rows = _whole_lines(self.path)[1:]

    def append(self, row: dict[str, Any]) -> None:
        """Add one result; it is on disk when this returns. A journal that was taken away is written again."""
        self.rows.append(row)
        if self.path.exists():
            append_row(self.path, row)
        else:
            self._write()

    def _write(self) -> None:
        write_text(self.path, "".join(json.dumps(line, default=str) + "\n" for line in [self._header, *self.rows]))

    def finish(self) -> None:
        """The stage's file is written: the journal has done its work."""
        self.path.unlink(missing_ok=True)


def append_row(path: Path, row: dict[str, Any]) -> None:
    """Append one JSON line; it is on disk when this returns.

    Half a line that a killed process left is cut off first. Raises `UsageError` where the disk is full.
    """
    line = (json.dumps(row, default=str) + "\n").encode()
    with _writable(path), path.open("a+b") as file:
        file.truncate(_end_of_whole_lines(file))
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def _end_of_whole_lines(file: BinaryIO) -> int:
    """Where the last line that has an end ends."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - 4096)
        file.seek(start)
        if (found := file.read(end - start).rfind(b"\n")) >= 0:
            return start + found + 1
        end = start
    return 0


def journal_rows(path: Path) -> list[dict[str, Any]]:
    """The whole rows of a journal, whatever was asked; none where there is no file."""
    return _whole_lines(path)[1:]


def _whole_lines(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    lines = []
    for text in path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True):
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            break
        if not text.endswith("\n") or not isinstance(line, dict):
            break
        lines.append(line)
    return lines
