"""What a node measures with. Where its own Python has torch, that; else an environment of the driver's versions.

It is made once, by uv where the node has it and else by venv and pip, and used by every later task.
"""

import hashlib
import importlib.util
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, suppress
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from upbench.bench.errors import UsageError
from upbench.bench.lock import folder_lock

READY = "upbench-ready"  # written last: an environment without it was interrupted, and is made anew
BEAT_SECONDS = 1.0


def pinned() -> list[str]:
    """What upbench needs, in the versions that are installed here; of a torch for CUDA 13, say, the release."""
    found = []
    for text in requires("upbench") or ():
        name = re.split(r"[^A-Za-z0-9._-]", text, maxsplit=1)[0]
        if "extra ==" not in text:
            with suppress(PackageNotFoundError):
                found.append(f"{name}=={version(name).partition('+')[0]}")
    return found


def python(pins: Sequence[str], base: Path) -> Generator[dict[str, Any], None, str]:
    """The Python to measure with; while one is made, a message now and then says that we live.

    Raises `RuntimeError` with the last lines of what went wrong.
    """
    if importlib.util.find_spec("torch") is not None:
        return sys.executable
    folder = base / f"python-{hashlib.sha256(' '.join(pins).encode()).hexdigest()[:12]}"
    with ExitStack() as held:
        while not _holds(held, base):  # another task makes it
            yield _beat()
        if not (folder / READY).is_file():
            for command in _commands(folder, pins):
                yield from _run(command, base / f"{folder.name}.log")
            (folder / READY).touch()
    return str(folder / "bin" / "python")


def _commands(folder: Path, pins: Sequence[str]) -> list[list[str]]:
    uv = shutil.which("uv")
    if uv:
        make = [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)]
        return [make, *([[uv, "pip", "install", "--quiet", "--python", str(folder), *pins]] if pins else [])]
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    return [[sys.executable, "-m", "venv", "--clear", str(folder)], *([[*pip, *pins]] if pins else [])]


def _run(command: list[str], log: Path) -> Generator[dict[str, Any], None, None]:
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    try:
        while process.poll() is None:
            yield _beat()
    finally:
        process.kill()
        process.wait()
    if process.returncode:
        said = " ".join(log.read_text(errors="replace").split())[-300:]
        raise RuntimeError(f"no environment with torch could be made here: {said}")


def _beat() -> dict[str, Any]:
    time.sleep(BEAT_SECONDS)
    return {"sent": time.time()}


def _holds(held: ExitStack, base: Path) -> bool:
    with suppress(UsageError):  # it is in use
        held.enter_context(folder_lock(base))
        return True
    return False
