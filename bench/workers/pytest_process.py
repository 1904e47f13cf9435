"""A pytest-benchmark module of ours in a process of its own, away from the caller's directory and settings."""

import os
import subprocess
import sys
from pathlib import Path

from upbench.bench.workers.launch import GLIBC_HELD_STILL, HELD
from upbench.bench.workers.warden import FOLDER

# Linux kills whoever execs this when the parent dies, from the first moment on: pytest itself takes seconds to start.
DIES_WITH_US = (
    "import ctypes, os, signal, sys\n"
    "ctypes.CDLL(None).prctl(1, signal.SIGKILL)\n"
    "if os.getppid() == int(sys.argv[1]):\n"
    "    os.execv(sys.argv[2], sys.argv[2:])\n"
)


def run(module: str, result: Path, allocator: str = HELD, **variables: str) -> int:
    """Run the module's benchmarks; returns pytest's exit code (negative: the signal that killed it).

    Memory is held still, or plain as any program of a user's has it. Pytest-benchmark's document goes to `result`,
    pytest's output to `log` beside it.
    """
    folder = result.parent
    settings = folder / "pytest.ini"
    settings.write_text("[pytest]\n")
    bound = [sys.executable, "-c", DIES_WITH_US, str(os.getpid())] if sys.platform == "linux" else []
    command = [
        *bound,
        *(sys.executable, "-m", "pytest", "--pyargs", module, "-q"),
        *("-c", str(settings), "-p", "no:cacheprovider", "--benchmark-quiet", f"--benchmark-json={result}"),
    ]
    held = GLIBC_HELD_STILL if allocator == HELD else {}
    environment = held | os.environ | variables | {"PYTHONSAFEPATH": "1", FOLDER: str(folder)}
    with (folder / "log").open("w") as log:
        return subprocess.run(command, env=environment, stdout=log, check=False, cwd=folder).returncode
