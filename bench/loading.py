"""From where a factory is to the factory itself: a module, a file, a pickled callable. Strangers' code runs here."""

import importlib
import importlib.util
import inspect
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from upbench.bench.errors import UsageError

PICKLED = "pickled:"

Factory = Callable[..., Any]


def load_factory(source: str, name: str) -> Factory:
    """The factory `name` of a module, of a file `FILE.py`, or of `pickled:PATH`.

    Raises `UsageError` when it is not there, and whatever importing it raises.
    """
    if source.startswith(PICKLED):
        return _from_pickle(source, name)
    return (_from_file if source.endswith(".py") else _from_module)(source, name)


def _from_pickle(source: str, name: str) -> Factory:
    path = Path(source.removeprefix(PICKLED))
    if not path.is_file():
        raise UsageError(f"There is no file {path}.")
    made = pickle.loads(path.read_bytes())
    if not callable(made):
        raise UsageError(f"{name} cannot be called.")
    return made if _is_factory(made) else _always(made)


def _is_factory(made: Callable[..., Any]) -> bool:
    try:
        return list(inspect.signature(made).parameters)[:3] == ["scale", "device", "dtype"]
    except (TypeError, ValueError):  # built-in functions have no signature
        return False


def _always(made: Callable[..., Any]) -> Factory:
    """A factory of a callable that is the upsampler already."""

    def factory(scale: int, device: Any, dtype: Any) -> Callable[..., Any]:
        return made

    factory.__doc__ = made.__doc__
    return factory


def _from_module(source: str, attribute: str) -> Factory:
    try:
        module = importlib.import_module(source)
    except ModuleNotFoundError as error:
        if error.name and source.split(".")[0] == error.name.split(".")[0]:
            raise UsageError(f"There is no module {source!r} on the path.") from error
        raise
    return _attribute(module, source, attribute)


def _from_file(source: str, attribute: str) -> Factory:
    path = Path(source).resolve()
    if not path.is_file():
        raise UsageError(f"There is no file {source}.")
    name = f"upbench_adapter_{path.stem}"
    specification = importlib.util.spec_from_file_location(name, path)
    if specification is None or specification.loader is None:
        raise UsageError(f"{source} is no Python file.")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return _attribute(module, source, attribute)


def _attribute(module: Any, source: str, attribute: str) -> Factory:
    factory = getattr(module, attribute, None)
    if not callable(factory):
        raise UsageError(f"{source} has no factory named {attribute!r}.")
    checked: Factory = factory
    return checked
