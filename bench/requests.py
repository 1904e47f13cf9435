"""A request: what a stage is asked, as plain data.

It is checked when it is made, goes to JSON and back unchanged, and is what the command line, the Python API, a journal,
a worker and a test all speak. Every field has the default that the command line has, from here.
"""

import dataclasses
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from upbench.bench.errors import UsageError

Self = TypeVar("Self", bound="Request")
REPEATS = {"repeats": True}  # a field's metadata: a value given twice counts twice


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The base of all requests. Fields are scalars, paths, tuples of these, other requests, or None where declared so.

    Any sequence serves as a tuple, a single value as a tuple of one, a string as a path. Raises `UsageError` in one
    sentence that names the field, what was given, and what is possible.
    """

    def __post_init__(self) -> None:
        """Bring every value into its declared form, then look at what they mean."""
        hints = get_type_hints(type(self))
        for field in dataclasses.fields(self):
            value = _declared(field.name, getattr(self, field.name), hints[field.name])
            if isinstance(value, tuple) and not field.metadata.get("repeats"):
                value = tuple(dict.fromkeys(value))
            object.__setattr__(self, field.name, value)
        self.check()

    def check(self) -> None:
        """Raise `UsageError` where a value cannot be meant; overridden by each request."""

    def to_json(self) -> dict[str, Any]:
        """Plain data: numbers, strings, lists, None, and a dictionary for each request inside."""
        return {field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)}

    @classmethod
    def from_json(cls: type[Self], document: dict[str, Any]) -> Self:
        """The request that `to_json` wrote; raises `UsageError` for a field that this upbench does not know."""
        unknown = set(document) - {field.name for field in dataclasses.fields(cls)}
        if unknown:
            raise UsageError(f"{cls.__name__} has no field {min(unknown)!r}; it was written by another upbench.")
        return cls(**document)

    def but(self: Self, **changed: Any) -> Self:
        """The same request with other values in some fields."""
        return dataclasses.replace(self, **changed)


def _declared(name: str, value: Any, hint: Any) -> Any:
    """The value as its field declares it; raises `UsageError` where it is of another kind."""
    if get_origin(hint) in (Union, types.UnionType):
        if value is None and type(None) in get_args(hint):
            return None
        (hint,) = [kind for kind in get_args(hint) if kind is not type(None)]
    if get_origin(hint) is tuple:
        values = value if isinstance(value, (list, tuple, range, set, frozenset)) else (value,)
        return tuple(_declared(name, each, get_args(hint)[0]) for each in values)
    if isinstance(hint, type) and issubclass(hint, Request):
        return hint.from_json(value) if isinstance(value, dict) else value
    if hint is Path and isinstance(value, str):
        return Path(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise UsageError(f"{name} takes {_KINDS.get(hint, hint.__name__)}, not {value!r}.")
    return value


_KINDS = {int: "a whole number", float: "a number", str: "a text", bool: "True or False", Path: "a path"}


def _plain(value: Any) -> Any:
    if isinstance(value, Request):
        return value.to_json()
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Path) else value


def require_positive(**values: tuple[int, ...] | int | None) -> None:
    """Raise `UsageError` for a number that is not at least 1; `None` is let pass."""
    for name, given in values.items():
        for value in given if isinstance(given, tuple) else (given,):
            if value is not None and value < 1:
                raise UsageError(f"{name}: {str(value)!r} is no whole number of at least 1.")


def require_among(what: str, values: tuple[str, ...], possible: tuple[str, ...]) -> None:
    """Raise `UsageError` for a value that is not among those possible."""
    for value in values:
        if value not in possible:
            raise UsageError(f"There is no {what} {value!r}; choose from {', '.join(possible)}.")
