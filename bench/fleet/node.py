"""What runs inside Ray, on a node: a stage in a process of its own, whose folder is followed and told to the driver.

Nothing here imports torch, or Ray: a task is a generator of plain messages. Each has `sent` (seconds since 1970, the
node's clock) and some of

    moment   load, niceness, clock rate and other tasks of the node: first and last
    files    path -> content of a file that is new or changed, whole
    rows     path -> bytes that a journal has grown by, in whole lines
    gone     paths of journals that have done their work
    said     lines of the stage's own, each with its kind
    code     the exit status: the last message of all
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from upbench.bench.errors import UsageError
from upbench.bench.fleet import packages
from upbench.bench.lock import NAME as LOCK
from upbench.bench.lock import folder_lock
from upbench.bench.workers.pytest_process import DIES_WITH_US

POLL_SECONDS = 0.1
BEAT_SECONDS = 2.0  # between two messages of a task that has nothing to tell
HOLD_SECONDS = 5.0  # a node that is dying kills its workers first: whoever says "signal 9" waits whether we live
LARGEST = 64 << 20  # bytes of a file that is told
SUSPECT = b"signal 9"

Message = dict[str, Any]
Luggage = Mapping[str, Mapping[str, bytes]]


def work(task: Mapping[str, Any], seed: Mapping[str, bytes], luggage: Luggage) -> Iterator[Message]:
    """Run a task (`served`) in a fresh folder that begins with the files of `seed`, and tell what becomes of it."""
    base = Path(tempfile.gettempdir()) / f"upbench-fleet-{os.getuid()}"
    _sweep(base)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=base))
    out = folder / "out"
    out.mkdir()
    held, process = ExitStack(), None
    held.enter_context(folder_lock(folder))  # whoever sweeps sees that it is in use
    try:
        for name, content in seed.items():
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).write_bytes(content)
        _unpack(luggage, base)
        (folder / "task.json").write_text(json.dumps(dict(task)).replace("@luggage", str(base)))
        python = yield from packages.python(task.get("packages", ()), base)
        process = _started(folder, python)
        yield {"sent": time.time(), "moment": moment()}
        yield from _followed(process, out, folder / "said")
        yield {"sent": time.time(), "moment": moment(), "code": process.returncode, "last": _tail(folder / "errors")}
    finally:
        if process is not None and process.poll() is None:
            process.kill()
            process.wait()
        held.close()
        shutil.rmtree(folder, ignore_errors=True)


def _started(folder: Path, python: str) -> "subprocess.Popen[bytes]":
    """The stage's process; it dies with us. What Ray sets for its own workers it does not see."""
    kept = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    here = str(Path(__file__).resolve().parents[3])  # the folder that holds the package as it travelled
    variables = kept | {
        "PYTHONPATH": os.pathsep.join([here, *filter(None, [kept.get("PYTHONPATH")])]),
        "PYTHONSAFEPATH": "1",
        "TMPDIR": str(folder),  # so that what a killed stage leaves goes with the folder
    }
    bound = [sys.executable, "-c", DIES_WITH_US, str(os.getpid())] if sys.platform == "linux" else []
    command = [*bound, python, "-m", "upbench.bench.fleet.served", str(folder / "task.json")]
    with (folder / "said").open("wb") as said, (folder / "errors").open("wb") as errors:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=errors, cwd=folder / "out", env=variables
        )


def _followed(process: "subprocess.Popen[bytes]", out: Path, said: Path) -> Iterator[Message]:
    followed, heard, last = Followed(out), 0, time.monotonic()
    running = True
    while running:
        running = process.poll() is None  # and then once more, for what came between
        message = followed.changes()
        with said.open("rb") as file:
            file.seek(heard)
            lines = file.read()
        whole = lines[: lines.rfind(b"\n") + 1]
        heard += len(whole)
        if whole:
            message["said"] = [json.loads(line) for line in whole.splitlines()]
        if message or time.monotonic() - last > BEAT_SECONDS:
            if any(SUSPECT in rows for rows in message.get("rows", {}).values()):
                time.sleep(HOLD_SECONDS)
            yield message | {"sent": time.time()}
            last = time.monotonic()
        if running:
            time.sleep(POLL_SECONDS)


@dataclass(slots=True)
class Followed:
    """A folder, and how much of it has been told."""

    folder: Path
    told: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def changes(self) -> Message:
        """What is new since the last call; empty where nothing is."""
        message: Message = {}
        found = {str(path.relative_to(self.folder)): path for path in self._files()}
        for name, path in sorted(found.items()):
            with suppress(FileNotFoundError):  # it was renamed or removed meanwhile
                self._look(name, path, message)
        if gone := [name for name in self.told if name.endswith(".journal") and name not in found]:
            message["gone"] = gone
            for name in gone:
                del self.told[name]
        return message

    def _files(self) -> Iterator[Path]:
        for path in self.folder.rglob("*"):
            parts = path.relative_to(self.folder).parts
            if path.is_file() and not path.is_symlink() and not any(part.startswith(".") for part in parts):
                yield path

    def _look(self, name: str, path: Path, message: Message) -> None:
        about = path.stat()
        inode, _, size = self.told.get(name, (0, 0, 0))
        if (about.st_ino, about.st_mtime_ns, about.st_size) == self.told.get(name) or about.st_size > LARGEST:
            return
        content = path.read_bytes()
        if not name.endswith(".journal"):
            message.setdefault("files", {})[name] = content
            self.told[name] = (about.st_ino, about.st_mtime_ns, about.st_size)
            return
        content = content[: content.rfind(b"\n") + 1]
        if about.st_ino != inode or len(content) < size:
            message.setdefault("files", {})[name] = content
        elif len(content) > size:
            message.setdefault("rows", {})[name] = content[size:]
        self.told[name] = (about.st_ino, about.st_mtime_ns, len(content))


def moment() -> dict[str, Any]:
    """What disturbs a node now: load, niceness, clock rate in MHz, and other tasks of Ray's."""
    info = Path("/proc/cpuinfo")
    rates = [
        float(line.rpartition(":")[2])
        for line in (info.read_text(errors="replace").splitlines() if info.is_file() else ())
        if line.startswith("cpu MHz")
    ]
    return {
        "load": list(os.getloadavg()),
        "niceness": os.nice(0),
        "mhz": max(rates, default=None),
        "others": _other_tasks(),
        "time": time.time(),
    }


def _other_tasks() -> int | None:
    """Tasks of Ray's on this host beside this one; None where /proc does not tell."""
    if not Path("/proc/self/cmdline").is_file():
        return None
    titles = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            titles.append((path.parent.name, path.read_bytes()))
    return sum(
        title.startswith(b"ray::") and b"IDLE" not in title and process != str(os.getpid()) for process, title in titles
    )


def _unpack(luggage: Luggage, base: Path) -> None:
    """What travelled with the task, once for each content."""
    for place, files in luggage.items():
        target = base / place
        if target.exists():
            continue
        temporary = Path(tempfile.mkdtemp(dir=base))
        for name, content in files.items():
            (temporary / name).parent.mkdir(parents=True, exist_ok=True)
            (temporary / name).write_bytes(content)
        with suppress(OSError):  # another task made it meanwhile
            temporary.rename(target)
        shutil.rmtree(temporary, ignore_errors=True)


def _sweep(base: Path) -> None:
    """Remove what tasks left that were killed: folders that nobody holds."""
    base.mkdir(mode=0o700, exist_ok=True)
    for folder in base.glob("run-*"):
        if (folder / LOCK).exists():
            with suppress(UsageError, OSError), folder_lock(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _tail(path: Path) -> str:
    return path.read_text(errors="replace")[-2000:]
