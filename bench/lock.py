"""One run at a time in one folder: the second is told who holds it.

The lock is the operating system's, on a file in the folder, so that it ends with its process however that ends; what
the file says is only for the second run to read. A child of the process does not inherit it. (POSIX record locks: they
would also end if the process itself opened and closed the file once more, so nothing here reads it while it is held.)
"""

import functools
import json
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeVar

from upbench.bench.errors import UsageError

NAME = ".upbench.lock"
_FAR = 1 << 30  # Windows locks bytes and forbids to read them: take one that nobody writes

_held: dict[Path, int] = {}  # folders that this process holds -> the thread that does
_guard = threading.Lock()


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold `folder`, which is made if need be, against other runs; a stage inside a stage of the same thread may enter.

    Raises `UsageError`, which names the process that holds it and since when.
    """
    folder.mkdir(parents=True, exist_ok=True)
    place = folder.resolve()
    with _guard:
        if nested := _held.get(place) == threading.get_ident():
            handle = -1
        elif place in _held:
            raise UsageError(f"{folder} is in use by another thread of this process; wait, or name another folder.")
        else:
            handle = _locked(place / NAME, folder)
            _held[place] = threading.get_ident()
    if nested:
        yield
        return
    try:
        yield
    finally:
        with _guard:
            del _held[place]
            _release(handle, place / NAME)


Stage = TypeVar("Stage", bound=Callable[..., Any])


def alone_in_its_folder(stage: Stage) -> Stage:
    """A stage `run(request, out, ...)` that holds the folder `out` while it runs."""

    @functools.wraps(stage)
    def run(request: Any, out: Path, *rest: Any, **named: Any) -> Any:
        with folder_lock(out):
            return stage(request, out, *rest, **named)

    return run  # type: ignore[return-value] # it is called as the stage is


def _locked(file: Path, folder: Path) -> int:
    """An open handle of the lock file, which this process has locked and signed."""
    while True:
        handle = os.open(file, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
        try:
            _try(handle)
        except OSError as error:
            holder = _holder(file)
            os.close(handle)
            raise UsageError(f"{folder} is in use by {holder}; wait for it, end it, or name another folder.") from error
        if _is_at(handle, file):
            break
        os.close(handle)  # the run before removed this very file between our opening and locking it
    since = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
    signature = {"process": os.getpid(), "since": since, "host": socket.gethostname()}
    os.ftruncate(handle, 0)
    os.write(handle, json.dumps(signature).encode())
    return handle


def _try(handle: int) -> None:
    """Lock at once, or raise `OSError`."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(handle, _FAR, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        os.lseek(handle, 0, os.SEEK_SET)
    else:
        import fcntl

        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_at(handle: int, file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), file.stat())
    except FileNotFoundError:
        return False


def _release(handle: int, file: Path) -> None:
    """Remove the file while it is still ours (Windows removes no open file, and keeps it), then let go."""
    if sys.platform != "win32" and _is_at(handle, file):
        file.unlink(missing_ok=True)
    os.close(handle)


def _holder(file: Path) -> str:
    try:
        signature = json.loads(file.read_text(encoding="utf-8"))
        return f"process {signature['process']} on {signature['host']} since {signature['since']} UTC"
    except (OSError, ValueError, KeyError, TypeError):
        return "another run"
