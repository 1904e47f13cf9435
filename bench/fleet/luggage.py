"""What a request names by a path here and needs there: methods of one's own, and data that is small.

A path becomes `@luggage/DIGEST/NAME`, which each node reads as the place where it put that content.
"""

import hashlib
import os
from pathlib import Path
from typing import Any

from upbench.bench.stage import Progress

SMALL = 64 << 20  # bytes of one file or folder that travel
SPECS = ("method", "layer", "versus")  # fields with FILE.py:FACTORY
READ = ("auto", "cifar10")  # datasets that read the folder `data`

Packed = dict[str, dict[str, bytes]]


def pack(document: dict[str, Any], progress: Progress) -> tuple[dict[str, Any], Packed]:
    """The request as it reads on a node, and the files that go there. What is too large has to be there already."""
    packed: Packed = {}
    return _document(document, packed, progress), packed


def _document(document: dict[str, Any], packed: Packed, progress: Progress) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in document.items():
        if isinstance(value, dict):
            made[name] = _document(value, packed, progress)
        elif name in SPECS:
            made[name] = [_spec(spec, packed, progress) for spec in value]
        elif name == "dataset" and value.partition(":")[0] in ("array", "folder"):
            kind, _, path = value.partition(":")
            made[name] = f"{kind}:{_place(Path(path).expanduser(), packed, progress)}"
        elif name == "data" and document.get("dataset") in READ and (value or os.environ.get("UPBENCH_DATA")):
            made[name] = _place(Path(value or os.environ["UPBENCH_DATA"]), packed, progress)
        elif name == "environments":
            made[name] = "@luggage/environments"  # outside the folder that is followed
        else:
            made[name] = value
    return made


def _spec(spec: str, packed: Packed, progress: Progress) -> str:
    path = Path(spec.rpartition(":")[0].removeprefix("pickled:"))
    return spec.replace(str(path), _place(path, packed, progress), 1) if path.is_file() else spec


def _place(path: Path, packed: Packed, progress: Progress) -> str:
    """Where it lies on a node: where it is put there, or for what is large or not here, the same path."""
    files = [path] if path.is_file() else [each for each in sorted(path.rglob("*")) if each.is_file()]
    if not files or sum(each.stat().st_size for each in files) > SMALL:
        progress.say(f"fleet: {path.absolute()} does not travel; it has to be there on every node.")
        return str(path.absolute())
    root = path.resolve().parent
    contents = {str(each.resolve().relative_to(root)): each.read_bytes() for each in files}
    digest = hashlib.sha256()
    for name, content in contents.items():
        digest.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    place = digest.hexdigest()[:16]
    packed[place] = contents
    return f"@luggage/{place}/{path.resolve().name}"
