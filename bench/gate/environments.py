"""A Python environment for each torch version, made by uv, kept under a cache folder and used again.

A version is a release such as `2.13.0`, or a path to a python executable or to a virtual environment.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upbench.bench.errors import UsageError

READY = "upbench-ready.json"  # written last: an environment without it was interrupted, and is made anew
RELEASE = re.compile(r"\d+\.\d+(\.\d+)?([a-z0-9.+]*)")
PROBE = """
import json, sys
import torch, numpy
try:
    import torchvision
    vision, reason = torchvision.__version__, ""
except Exception as error:
    vision, reason = None, str(error) or type(error).__name__
print(json.dumps({"torch": torch.__version__, "torchvision": vision, "torchvision_reason": reason,
                  "python": sys.version.split()[0]}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A python that can import torch; `torchvision` is None where it cannot be imported, with the reason."""

    label: str
    python: Path
    torch: str
    torchvision: str | None
    torchvision_reason: str


def environment(version: str, cache: Path, uv: str = "uv") -> Environment:
    """The environment of a version: found at a path, found in the cache, or made there.

    Raises `UsageError` with one sentence when there is none and none can be made.
    """
    python = find_python(version)
    if python is None:
        python, found = _cached(version, cache, uv)
        label = version
    else:
        found = probe(python)
        label = f"{found['torch']} ({version})"
    return Environment(
        label=label,
        python=python,
        torch=found["torch"],
        torchvision=found["torchvision"],
        torchvision_reason=found["torchvision_reason"],
    )


def find_python(version: str) -> Path | None:
    """The python that a path means, or None where `version` is a release; raises `UsageError` for neither."""
    path = Path(version).expanduser()
    if path.is_dir():
        for python in (path / "bin" / "python", path / "Scripts" / "python.exe"):
            if python.is_file():
                return python.absolute()
        raise UsageError(f"{version} is a folder without bin/python; give a virtual environment.")
    if path.is_file():
        return path.absolute()
    if RELEASE.fullmatch(version):
        return None
    raise UsageError(f"{version!r} is neither a release such as 2.13.0 nor a path to a python.")


def probe(python: Path) -> dict[str, Any]:
    """Versions of torch and torchvision in an environment; raises `UsageError` if it has no torch."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as nowhere:  # so that no folder of the caller's shadows a package
        done = subprocess.run(
            [str(python), "-c", PROBE],
            capture_output=True,
            text=True,
            cwd=nowhere,
            env=variables,
            check=False,
        )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise UsageError(f"{python} cannot import torch and numpy: {last}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _cached(version: str, cache: Path, uv: str) -> tuple[Path, dict[str, Any]]:
    """The python of a release and what it holds; made first where it is not there."""
    folder = (cache / f"torch-{version}").absolute()
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    ready = folder / READY
    if not ready.is_file():
        _make(version, folder, uv)
        ready.write_text(json.dumps(probe(python)) + "\n", encoding="utf-8")
    found: dict[str, Any] = json.loads(ready.read_text(encoding="utf-8"))
    return python, found


def _make(version: str, folder: Path, uv: str) -> None:
    """Make the environment with torchvision where a matching one exists, else without."""
    if shutil.which(uv) is None:
        raise UsageError(f"uv is needed to make an environment for torch {version}: pip install uv")
    folder.parent.mkdir(parents=True, exist_ok=True)
    minor = f"{sys.version_info.major}.{sys.version_info.minor}"
    _run([uv, "venv", "--quiet", "--clear", "--python", minor, str(folder)], version)
    install = [
        uv,
        "pip",
        "install",
        "--quiet",
        "--python",
        str(folder),
        f"torch=={version}",
    ]
    try:
        _run([*install, "numpy", "torchvision"], version)
    except UsageError:
        _run([*install, "numpy"], version)


def _run(command: list[str], version: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        message = " ".join(done.stderr.split())[-300:] or "no message"
        raise UsageError(f"No environment for torch {version} could be made: {message}")
