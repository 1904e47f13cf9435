"""What an environment is made of: a release of torch, a nightly of one, or a set of requirements of any package.

`2.13.0` · `2.16.0.dev20261120` with the index that has it · `opencv-python-headless==4.12.0.88` (with the torch that
runs here) · `torch==2.14.0 triton==3.5.1`. No environment is made or looked for here.
"""

import hashlib
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version as installed

from upbench.bench.errors import UsageError

RELEASE = re.compile(r"\d+\.\d+(\.\d+)?([a-z0-9.+]*)")
REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(\[[^\]]*\])?(?P<rest>((==|>=|<=|~=|!=|<|>)[^\s,]+,?)*)")
EARLIEST = (2, 0)
# The newest minor version of Python 3 that a torch has wheels for, from that torch on.
NEWEST_PYTHON = {(2, 0): 11, (2, 2): 12, (2, 5): 13, (2, 9): 14}
NUMPY_2 = (2, 3)  # torch before it was built against numpy 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What uv is told to install: `needed`, and `optional` where it can be had; `index` where packages come from."""

    label: str
    needed: tuple[str, ...]
    optional: tuple[str, ...] = ()
    index: str | None = None
    python: str

    @property
    def folder(self) -> str:
        """A name for its folder: readable, and another for each recipe."""
        plain = re.sub(r"[^A-Za-z0-9.+_-]+", "-", self.label.replace("==", "-"))
        label = f"torch-{plain}" if RELEASE.fullmatch(self.label) else plain
        running = f"{sys.version_info.major}.{sys.version_info.minor}"
        if self.python != running:
            label += f"-python-{re.sub(r'[^A-Za-z0-9.]+', '-', self.python)}"
        if self.index:
            label += f"-{hashlib.sha256(self.index.encode()).hexdigest()[:8]}"
        return label


def recipe(text: str, *, index: str | None = None, python: str | None = None) -> Recipe:
    """The recipe of a release, a nightly or a set of requirements; raises `UsageError` where `text` is none of them."""
    if RELEASE.fullmatch(text):
        words: Sequence[str] = [f"torch=={text}"]
    else:
        words = text.split()
        if not words or not all(_is_requirement(word, alone=len(words) == 1) for word in words):
            raise UsageError(
                f"{text!r} is neither a release such as 2.13.0, nor requirements such as 'torch==2.14.0 triton==3.5.1',"
                " nor a path to a python."
            )
    torch = _torch(words)
    if ".dev" in torch and index is None:
        raise UsageError(f"torch {torch} is a nightly: give the index that has it with --index URL.")
    needed = list(words)
    if not _names(words) & {"torch"}:
        needed.append(f"torch=={torch}")
    if "numpy" not in _names(words):
        needed.append("numpy<2" if (_minor(torch) or NUMPY_2) < NUMPY_2 else "numpy")
    return Recipe(
        label=text,
        needed=tuple(needed),
        optional=("torchvision",) if RELEASE.fullmatch(text) else (),
        index=index,
        python=python or python_for([torch]),
    )


def _is_requirement(word: str, *, alone: bool) -> bool:
    """Whether it reads as one; alone it must say a version, or a mistyped path would be asked of an index."""
    found = REQUIREMENT.fullmatch(word)
    return bool(found and (found["rest"] or not alone))


def _names(words: Sequence[str]) -> set[str]:
    return {re.split(r"[\[=<>~!]", word)[0].lower().replace("_", "-") for word in words}


def _torch(words: Sequence[str]) -> str:
    """The torch that the words ask for; where they name none, the one that runs here."""
    for word in words:
        if found := re.fullmatch(r"torch==(.+)", word):
            given = found[1]
            if (_minor(given) or EARLIEST) < EARLIEST:
                raise UsageError(f"torch {given} is too old: upbench compares releases from 2.0 on.")
            return given
    return installed("torch").partition("+")[0]


def _minor(release: str) -> tuple[int, int] | None:
    found = re.match(r"(\d+)\.(\d+)", release)
    return (int(found[1]), int(found[2])) if found else None


def python_for(torches: Sequence[str]) -> str:
    """The Python that all of these can run on: ours, or the newest one that the oldest of them has wheels for."""
    newest = min(
        max((python for since, python in NEWEST_PYTHON.items() if since <= minor), default=11)
        for minor in (_minor(each) or (2, 9) for each in torches)
    )
    return f"3.{min(sys.version_info.minor, newest)}"


def common_python(texts: Sequence[str]) -> str:
    """One Python for all environments that have to be made, so that it makes no difference between them."""
    torches = [_torch([f"torch=={text}"] if RELEASE.fullmatch(text) else text.split()) for text in texts]
    return python_for(torches or [installed("torch")])
