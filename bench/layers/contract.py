"""The contract of a layer, and the doors by which one arrives. Importing this module imports no torch.

A layer is a factory `factory(channels, scale)` that returns an `nn.Module` from `(N, C, H, W)` to
`(N, C, scale*H, scale*W)`. It arrives through the entry-point group `upbench.layers`, as `FILE.py:FACTORY`, or as
`MODULE:FACTORY`, and imports nothing of ours. What it cannot do raises `NotImplementedError("reason")`.
"""

import ast
import difflib
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from upbench.bench import adapters
from upbench.bench.adapters import sentence
from upbench.bench.errors import FailedError, SkippedError, UsageError

GROUP = "upbench.layers"
REFERENCE = "nearest+conv3"  # what the others are compared with


def installed() -> list[str]:
    """The names of all installed layers, the reference first."""
    names = sorted(entry.name for entry in entry_points(group=GROUP))
    return sorted(names, key=lambda name: name != REFERENCE)


def name_of(layer: str) -> str:
    """What a layer is called: its own name, or its factory's."""
    return layer.rpartition(":")[2]


def check(layers: Sequence[str]) -> None:
    """Look at names and specs without importing a layer; raises `UsageError` where one cannot be found."""
    names = [name_of(layer) for layer in layers]
    for layer, name in zip(layers, names, strict=True):
        if names.count(name) > 1:
            raise UsageError(f"{names.count(name)} layers are called {name!r}; give the factory another name.")
        if ":" in layer:
            _check_spec(layer)
        elif layer not in installed():
            near = difflib.get_close_matches(layer, installed(), n=3, cutoff=0.4) or installed()
            raise UsageError(f"There is no layer {layer!r}; did you mean {' or '.join(near)}?")


def _check_spec(layer: str) -> None:
    source, _, attribute = layer.rpartition(":")
    if not source or not attribute:
        raise UsageError(f"--layer {layer!r}: write it as FILE.py:FACTORY or MODULE:FACTORY.")
    if source.endswith(".py"):
        try:
            ast.parse(Path(source).read_bytes(), filename=source)
        except OSError as error:
            raise UsageError(f"There is no file {source}.") from error
        except (SyntaxError, ValueError) as error:
            raise UsageError(f"--layer {layer!r}: {source} cannot be imported: {sentence(error)}") from error


def load(layer: str) -> Callable[[int, int], Any]:
    """The factory of a name or spec; raises `SkippedError` for an absent library, `FailedError` where it breaks."""
    if ":" in layer:
        return adapters.from_spec(layer).factory()
    try:
        (entry,) = entry_points(group=GROUP, name=layer)
        factory: Callable[[int, int], Any] = entry.load()
    except ImportError as error:
        raise SkippedError(sentence(error)) from error
    except Exception as error:
        raise FailedError(f"its module cannot be imported: {sentence(error)}") from error
    return factory
