"""A Python environment for each side, made by uv, kept under a cache folder and used again.

A side's environment is a path to a python executable or to a virtual environment, or what `requirements` reads.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from upbench.bench.errors import UsageError
from upbench.bench.gate.sides.requirements import Recipe, common_python, recipe

READY = "upbench-ready.json"  # written last: an environment without it was interrupted, and is made anew
PROBE = """
import json, sys
from importlib.metadata import distributions
import torch, numpy
try:
    import torchvision
    vision, reason = torchvision.__version__, ""
except Exception as error:
    vision, reason = None, str(error) or type(error).__name__
print(json.dumps({"torch": torch.__version__, "torchvision": vision, "torchvision_reason": reason,
                  "python": sys.version.split()[0],
                  "packages": {found.metadata["Name"]: found.version for found in distributions()}}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A python that can import torch; `torchvision` is None where it cannot be imported, with the reason."""

    label: str
    python: Path
    torch: str
    torchvision: str | None
    torchvision_reason: str
    packages: Mapping[str, str] = field(default_factory=dict)


def environments(
    texts: Sequence[str],
    cache: Path,
    *,
    python: str | None = None,
    index: str | None = None,
    uv: str = "uv",
    spare: bool = False,
) -> list[Environment]:
    """The environments of the sides of one comparison; those that have to be made share one Python.

    With `spare` what is downloaded for them is not kept in uv's own cache, so that an environment that is removed is
    gone from the disk. Raises `UsageError` with one sentence when there is none and none can be made.
    """
    made = [text for text in texts if find_python(text) is None]
    python = python or (common_python(made) if made else None)
    return [environment(text, cache, uv, python=python, index=index, spare=spare) for text in texts]


def folders(texts: Sequence[str], cache: Path, *, python: str | None = None, index: str | None = None) -> list[Path]:
    """Where the environments of one comparison are or are going to be made; those given by a path have none."""
    made = [text for text in texts if find_python(text) is None]
    python = python or (common_python(made) if made else None)
    return [_folder(recipe(text, index=index, python=python), cache) for text in made]


def is_ready(folder: Path) -> bool:
    """Whether an environment was made there, whole."""
    return (folder / READY).is_file()


def _folder(asked: Recipe, cache: Path) -> Path:
    return (cache / asked.folder).absolute()


def environment(
    text: str,
    cache: Path,
    uv: str = "uv",
    *,
    python: str | None = None,
    index: str | None = None,
    spare: bool = False,
) -> Environment:
    """The environment of a side: found at a path, found in the cache, or made there.

    Raises `UsageError` with one sentence when there is none and none can be made.
    """
    path = find_python(text)
    if path is None:
        asked = recipe(text, index=index, python=python)
        path, found = _cached(asked, cache, uv, spare=spare)
        label = text
    else:
        found = probe(path)
        label = f"{found['torch']} ({text})"
    return Environment(
        label=label,
        python=path,
        torch=found["torch"],
        torchvision=found["torchvision"],
        torchvision_reason=found["torchvision_reason"],
        packages=found.get("packages", {}),
    )


def running(label: str) -> Environment:
    """The environment that we run in, without starting another python."""
    packages = {found.metadata["Name"]: found.version for found in distributions()}
    return Environment(
        label=label,
        python=Path(sys.executable),
        torch=packages["torch"],
        torchvision=packages.get("torchvision"),
        torchvision_reason="" if "torchvision" in packages else "it is not installed",
        packages=packages,
    )


def differing(one: Environment, other: Environment) -> dict[str, list[str | None]]:
    """Packages of which the two hold other versions, beside the labels that say so: what else may be the cause."""
    names = sorted(set(one.packages) | set(other.packages), key=str.lower)
    pairs = {name: [one.packages.get(name), other.packages.get(name)] for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def find_python(text: str) -> Path | None:
    """The python that a path means, or None where `text` says what to install; raises `UsageError` for neither."""
    path = Path(text).expanduser()
    if path.is_dir():
        for python in (path / "bin" / "python", path / "Scripts" / "python.exe"):
            if python.is_file():
                return python.absolute()
        raise UsageError(f"{text} is a folder without bin/python; give a virtual environment.")
    if path.is_file():
        return path.absolute()
    recipe(text, index="")  # it says what is wrong with it
    return None


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


def _cached(asked: Recipe, cache: Path, uv: str, *, spare: bool) -> tuple[Path, dict[str, Any]]:
    """The python of a recipe and what it holds; made first where it is not there."""
    folder = _folder(asked, cache)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    ready = folder / READY
    if not is_ready(folder):
        _make(asked, folder, uv, spare=spare)
        ready.write_text(json.dumps(probe(python)) + "\n", encoding="utf-8")
    found: dict[str, Any] = json.loads(ready.read_text(encoding="utf-8"))
    return python, found


def _make(asked: Recipe, folder: Path, uv: str, *, spare: bool) -> None:
    """Make the environment with what is optional where that can be had, else without."""
    if shutil.which(uv) is None:
        raise UsageError(f"uv is needed to make an environment for {asked.label}: pip install uv")
    folder.parent.mkdir(parents=True, exist_ok=True)
    _run([uv, "venv", "--quiet", "--clear", "--python", asked.python, str(folder)], asked.label)
    install = [uv, "pip", "install", "--quiet", *(["--no-cache"] if spare else []), "--python", str(folder)]
    if asked.index:
        # a nightly's own dependencies may be on the usual index only
        install += ["--prerelease", "allow", "--index", asked.index, "--index-strategy", "unsafe-best-match"]
    try:
        _run([*install, *asked.needed, *asked.optional], asked.label)
    except UsageError:
        if not asked.optional:
            raise
        _run([*install, *asked.needed], asked.label)


def _run(command: list[str], label: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        message = " ".join(done.stderr.split())[-300:] or "no message"
        raise UsageError(f"No environment for {label} could be made: {message}")
