"""Where a worker of this installation lives: a mother (`warden`) and a folder, kept for who is next in this process.

A mother costs seconds, a child of hers a tenth of one. So walls that close end the child, what it started and what it
wrote, and the mother waits: the next walls whose worker would start alike have her next child. None outlives this
process.
"""

import atexit
import os
import shutil
import sys
from pathlib import Path

from upbench.bench.errors import FailedError
from upbench.bench.workers.launch import own_environment, worker_command
from upbench.bench.workers.pipes import END_SECONDS, Worker, WorkerError
from upbench.bench.workers.sheet import private_folder
from upbench.bench.workers.warden import FOLDER

HANDLER = "upbench.bench.workers.upsampling:Upsampling"
MOST = os.cpu_count() or 1  # that wait


class Home:
    """A worker whose process is fresh, and its folder, empty but for `work`, where the worker is."""

    def __init__(self, threads: int) -> None:
        """Start one; raises `FailedError`."""
        self.folder = private_folder()
        self.work = self.folder / "work"
        self.work.mkdir()
        environment = own_environment(threads, self.folder)
        self.worker = Worker(worker_command(Path(sys.executable), HANDLER), environment, self.work, enduring=True)
        self.alike = _alike(environment)
        try:
            self.worker.greet()
        except WorkerError as error:
            self.end()
            raise FailedError(f"no worker could be started: {error}") from error

    def leave(self) -> None:
        """Let the next walls have it; it is ended where it has no mother, or something is wrong with it."""
        if self.worker.answering:  # somebody was interrupted
            self.end()
            return
        try:
            self.worker.renew(END_SECONDS)
            self._clear()
        except (WorkerError, OSError):
            self.end()
            return
        _waiting.append(self)
        for home in _waiting[:-MOST]:
            if _taken(home):
                home.end()

    def _clear(self) -> None:
        """Remove what was written; raises `OSError`, also where the worker is no longer in its folder."""
        if not self.work.samefile(f"/proc/{self.worker.pid}/cwd"):
            raise OSError("its folder is gone")
        for path in [*self.work.iterdir(), *(path for path in self.folder.iterdir() if path != self.work)]:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def end(self) -> None:
        """End the worker and what it started, and remove the folder."""
        self.worker.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def find(threads: int) -> Home:
    """One that waits and was started as it would be now, or a new one; raises `FailedError`."""
    wanted = _alike(own_environment(threads, Path()))
    for home in _waiting[::-1]:
        if home.alike == wanted and _taken(home):
            return home
    return Home(threads)


def _taken(home: Home) -> bool:
    """Whether it still waited, and now is ours: a crew's threads look at the same time."""
    try:
        _waiting.remove(home)
    except ValueError:
        return False
    return True


_waiting: list[Home] = []


def _alike(environment: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name != FOLDER}


@atexit.register
def end_all() -> None:
    """End those that wait."""
    for home in _waiting[:]:
        if _taken(home):
            home.end()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_waiting.clear)  # they are the parent's
