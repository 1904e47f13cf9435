"""Which result folders may be joined: the same protocol, data and packages; on one kind the same settings too.

Each check raises `UsageError` with one sentence that names both folders and both values.
"""

from itertools import groupby
from pathlib import Path
from typing import Any

from upbench.bench.errors import UsageError
from upbench.bench.fleet import joining
from upbench.bench.fleet.kinds import host_of, kind_of
from upbench.bench.host import PACKAGES
from upbench.reports.files import ReportError, read_json
from upbench.reports.frame import Run, read

DATA = ("dataset", "split", "description", "protocol")
LAYERS = ("description", "device", "steps", "width")


def opened(folder: Path) -> Run:
    """A result folder, whole and readable, of a host that is known; raises `UsageError` for any other."""
    try:
        found = read(folder)
        joining.look(found)
    except ReportError as error:
        raise UsageError(str(error)) from error
    if not host_of(found).get("cpu"):
        raise UsageError(f"{folder} does not say on which host it was measured (it has no host.json); measure again.")
    return found


def by_kind(runs: list[Run]) -> dict[str, list[Run]]:
    """The runs of each kind, in the order given."""
    order = [kind_of(run) for run in runs]
    found = sorted(runs, key=lambda run: order.index(kind_of(run)))
    return {name: list(group) for name, group in groupby(found, kind_of)}


def check(runs: list[Run]) -> None:
    """Raise `UsageError` where these runs cannot stand on one page, or those of one kind not in one table."""
    for name in DATA:
        _same(runs, name, [run.about.get(name) for run in runs])
    for name in PACKAGES:
        _same(runs, name, [_release(_packages(run).get(name)) for run in runs])
    for group in by_kind(runs).values():
        _check_kind(group)


def _check_kind(runs: list[Run]) -> None:
    """On one kind all that decides a row has to be the same."""
    hosts = [host_of(run) for run in runs]
    _same(runs, "the device of quality", [run.about.get("device") for run in runs])
    _same(runs, "the allocator of speed", [run.speed_host.get("allocator") for run in runs])
    _same(runs, "Python", [host["python"].rpartition(".")[0] if "python" in host else None for host in hosts])
    for name in PACKAGES:
        _same(runs, name, [_packages(run).get(name) for run in runs])
    for name in sorted({name for host in hosts for name in host.get("flags", {})}):
        _same(runs, name, [host.get("flags", {}).get(name) for host in hosts])
    documents = [_layers(run) for run in runs]
    for name in LAYERS:
        _same(runs, f"{name} of layers", [document.get(name) for document in documents])


def _layers(run: Run) -> dict[str, Any]:
    try:
        return read_json(run.folder / "layers.json")
    except ReportError as error:
        raise UsageError(str(error)) from error


def _packages(run: Run) -> dict[str, str]:
    found: dict[str, str] = host_of(run).get("packages", {})
    return found


def _release(version: str | None) -> str | None:
    """A version without its build: kinds of hosts take different builds of one torch."""
    return version and version.partition("+")[0]


def _same(runs: list[Run], what: str, values: list[Any]) -> None:
    """Raise `UsageError` where two runs that tell a value tell different ones."""
    told = [(run.folder, value) for run, value in zip(runs, values, strict=True) if value is not None]
    for folder, value in told[1:]:
        first, expected = told[0]
        if value != expected:
            raise UsageError(
                f"{folder} does not fit to {first}: {what} is {_short(value)} in the one and {_short(expected)} in the"
                " other; join runs of one command, or compare versions with upbench duet."
            )


def _short(value: Any) -> str:
    text = str(value)
    return repr(text if len(text) <= 80 else f"{text[:77]}...")
