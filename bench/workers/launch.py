"""How a worker is started: the upbench it runs, and the memory regime it runs under.

Both sides run the parent's own upbench, from one snapshot that is put on their path, so a difference
between them is never a difference of ours, and an environment needs nothing of upbench installed.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from importlib.metadata import distribution
from pathlib import Path

from upbench.bench.workers.warden import FOLDER

# glibc held still: memory that a call frees stays with the process, so that a call's time does not depend on
# how often the kernel has to hand out pages; torch asks for huge pages. See README, "The version gate".
GLIBC_HELD_STILL = {"MALLOC_MMAP_THRESHOLD_": str(4 << 30), "MALLOC_TRIM_THRESHOLD_": str(8 << 30)}
HELD_STILL = GLIBC_HELD_STILL | {"THP_MEM_ALLOC_ENABLE": "1"}
HELD = "held"  # that, so that times repeat
PLAIN = "plain"  # memory as any program of a user's has it
ALLOCATORS = (HELD, PLAIN)
COMPILE_ANEW = "PYTHONDONTWRITEBYTECODE"  # with it, as in many containers, each worker spends seconds on its imports
ANOTHER_PYTHONS = ("PYTHONHOME", "PYTHONSTARTUP")
PASSING = "PYTEST_CURRENT_TEST"  # it changes while a process runs, and tells a worker nothing


def worker_command(python: Path, handler: str) -> list[str]:
    """The command line of a worker that serves `package.module:Class`; its parent's process number is added to it."""
    return [str(python), "-m", "upbench.bench.workers.serve", handler]


def worker_environment(snapshot: Path, threads: int) -> dict[str, str]:
    """Our environment with the snapshot first on the path, the memory regime, and `threads` for OpenMP."""
    kept = _ours(COMPILE_ANEW, *ANOTHER_PYTHONS)
    path = os.pathsep.join(filter(None, [str(snapshot), kept.get("PYTHONPATH")]))
    return (
        kept
        | HELD_STILL
        | {
            "PYTHONPATH": path,
            "PYTHONSAFEPATH": "1",
            "OMP_NUM_THREADS": str(threads),
            "MKL_NUM_THREADS": str(threads),
        }
    )


def own_environment(threads: int, folder: Path) -> dict[str, str]:
    """Our environment for a worker of this very installation, with `threads` for OpenMP and a folder of its own.

    It keeps what a call frees: pages handed out anew for each call would take a tenth of a quality run.
    """
    return (
        _ours(COMPILE_ANEW, PASSING)
        | GLIBC_HELD_STILL
        | {
            "PYTHONSAFEPATH": "1",
            "OMP_NUM_THREADS": str(threads),
            "MKL_NUM_THREADS": str(threads),
            FOLDER: str(folder),
        }
    )


def _ours(*dropped: str) -> dict[str, str]:
    """Our environment without some of its variables."""
    return {name: value for name, value in os.environ.items() if name not in dropped}


ROOMS = ("bench", "methods")  # what a worker needs


def take_snapshot(cache: Path, rooms: Sequence[str] = ROOMS) -> Path:
    """A folder under `cache` with a copy of our packages and entry points, named after its content."""
    files = dict(sorted(_own_files(rooms)))
    digest = hashlib.sha256()
    for name, source in files.items():
        digest.update(name.encode() + b"\0" + source.read_bytes())
    target = cache.resolve() / f"upbench-{digest.hexdigest()[:12]}"  # workers start elsewhere
    if not target.is_dir():
        _copy(files, target)
    return target


def _own_files(rooms: Sequence[str]) -> list[tuple[str, Path]]:
    folders = {room: Path(next(iter(__import__(f"upbench.{room}", fromlist=["_"]).__path__))) for room in rooms}
    return [
        (f"upbench/{room}/{path.relative_to(folder).as_posix()}", path)
        for room, folder in folders.items()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ] + [(f"upbench.dist-info/{name}", path) for name, path in _metadata()]


def _metadata() -> list[tuple[str, Path]]:
    files = distribution("upbench").files or []
    return [(file.name, Path(str(file.locate()))) for file in files if file.name in ("METADATA", "entry_points.txt")]


def _copy(files: dict[str, Path], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".upbench-", dir=target.parent))
    try:
        for name, source in files.items():
            (temporary / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, temporary / name)
        temporary.rename(target)
    except FileExistsError:
        pass  # another run made the same snapshot meanwhile
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
