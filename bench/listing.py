"""What there is, told from metadata and source alone: nothing of a method's is imported, so it takes no second.

A method counts as available where every library that its module imports is installed; whether it can be built here,
only building it tells (`upbench list --check`).
"""

import ast
import functools
import importlib.util
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upbench.bench.adapters import Adapter
from upbench.bench.loading import PICKLED

LIBRARIES = "'upbench[libraries]'"  # as `upbench.methods.libraries.guards` says it
DYNAMIC = {"globals", "setattr", "__getattr__"}  # a module that uses these may define more than it shows


def describe(adapter: Adapter) -> dict[str, Any]:
    """A method's name, family, one-line definition, and whether what it needs is installed."""
    row: dict[str, Any] = {"name": adapter.name, "family": adapter.family, "summary": "", "available": True}
    source = _source(adapter.module)
    if source is None and source_file(adapter.module):
        told = f"{adapter.module} is no Python source to look into; `upbench list --check` builds it"
        return row | {"available": False, "reason": told}
    if source is None:
        return row | {"available": False, "reason": f"there is no module {adapter.module!r}"}
    row["summary"] = source.summary(adapter.attribute)
    if missing := source.missing():
        return row | {"available": False, "reason": missing}
    if not source.defines(adapter.attribute):
        return row | {"available": False, "reason": f"{adapter.module} has no factory named {adapter.attribute!r}"}
    return row


@dataclass(frozen=True, slots=True)
class Source:
    """A module as it is written."""

    tree: ast.Module

    def summary(self, name: str) -> str:
        """First line of a factory's docstring, or of the longest text it is made from."""
        for node in self.tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
                return (ast.get_docstring(node) or "").partition("\n")[0]
            if isinstance(node, ast.Assign) and _assigns(node, name):
                texts = [
                    n.value for n in ast.walk(node.value) if isinstance(n, ast.Constant) and isinstance(n.value, str)
                ]
                return max(texts, key=len, default="")
        return ""

    def defines(self, name: str) -> bool:
        """Whether the module has that name, as far as its source shows."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Name) and node.id in DYNAMIC:
                return True
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in {name, *DYNAMIC}:
                return True
            if isinstance(node, ast.Assign) and _assigns(node, name):
                return True
            if isinstance(node, ast.Import | ast.ImportFrom) and {name, "*"} & {a.asname or a.name for a in node.names}:
                return True
        return False

    def missing(self) -> str:
        """Which library is not installed, in words; empty where all are."""
        for module, reason in self._needed():
            if not _installed(module):
                return reason
        return ""

    def _needed(self) -> list[tuple[str, str]]:
        """What the module imports at once, and what it looks for by `library(module, package)` when it is used."""
        found = []
        for node in self.tree.body:
            if isinstance(node, ast.Import):
                found += [(alias.name, f"needs {alias.name}, which is not installed") for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.append((node.module, f"needs {node.module}, which is not installed"))
        for call in ast.walk(self.tree):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "library" and len(call.args) >= 2:
                module, package, *install = _texts(call.args)
                found.append((module, f"needs {package}: pip install {install[0] if install else LIBRARIES}"))
        return found


def _texts(nodes: Iterable[ast.AST]) -> list[str]:
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def _assigns(node: ast.Assign, name: str) -> bool:
    return any(isinstance(target, ast.Name) and target.id == name for target in node.targets)


@functools.cache
def _source(module: str) -> Source | None:
    path = source_file(module)
    with suppress(OSError, SyntaxError, ValueError):  # a compiled module, or one that Python itself refuses
        return None if path is None else Source(ast.parse(path.read_bytes()))
    return None


def source_file(module: str) -> Path | None:
    """Where the source of a module, or of a file, lies; found without importing the packages above it."""
    if module.endswith(".py") or module.startswith(PICKLED):
        return Path(module.removeprefix(PICKLED))
    first, *rest = module.split(".")
    top = importlib.util.find_spec(first)
    if top is None:
        return None
    if not rest:
        return Path(top.origin) if top.origin else None
    for folder in top.submodule_search_locations or ():
        place = Path(folder).joinpath(*rest)
        for path in (place.with_suffix(".py"), place / "__init__.py"):
            if path.is_file():
                return path
    return None


@functools.cache
def _installed(module: str) -> bool:
    return importlib.util.find_spec(module.partition(".")[0]) is not None
