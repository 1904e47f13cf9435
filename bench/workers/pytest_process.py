"""A pytest-benchmark module of ours in a process of its own, away from the caller's directory and settings."""

import os
import subprocess
import sys
from pathlib import Path

from upbench.bench.workers.launch import GLIBC_HELD_STILL


def run(module: str, result: Path, **variables: str) -> int:
    """Run the module's benchmarks; returns pytest's exit code (negative: the signal that killed it).

    Pytest-benchmark's document goes to `result`, pytest's output to `log` beside it.
    """
    folder = result.parent
    settings = folder / "pytest.ini"
    settings.write_text("[pytest]\n")
    command = [
        *(sys.executable, "-m", "pytest", "--pyargs", module, "-q"),
        *("-c", str(settings), "-p", "no:cacheprovider", "--benchmark-quiet", f"--benchmark-json={result}"),
    ]
    environment = GLIBC_HELD_STILL | os.environ | variables | {"PYTHONSAFEPATH": "1"}
    with (folder / "log").open("w") as log:
        return subprocess.run(command, env=environment, stdout=log, check=False, cwd=folder).returncode
