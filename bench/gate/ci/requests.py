"""What continuous integration asks: `upbench verdict` over several machines, `upbench watch` over many nights."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from upbench.bench.errors import UsageError
from upbench.bench.gate.request import DuetRequest
from upbench.bench.requests import REPEATS, Request, require_among, require_positive


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictRequest(Request):
    """Comparisons of the same cells, measured on several machines: `folders` hold a `versions.json` each."""

    folders: tuple[Path, ...] = field(default=(), metadata=REPEATS)

    def check(self) -> None:
        """Raise `UsageError` for no folder at all, or one given twice: a host cannot confirm itself."""
        if not self.folders:
            raise UsageError("No folder was given: the matrix of runners is empty; give one folder a runner.")
        if len({folder.resolve() for folder in self.folders}) < len(self.folders):
            raise UsageError("A folder was given twice; a host cannot confirm itself.")


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchRequest(Request):
    """A series of nights: `folders` hold tonight's comparisons with the anchor, which `history` gets a row a cell of.

    Where `duet` is given it is measured first. `confirm` is how many nights have to agree on a change, `by` finds
    changes by the gate's statistics or by the package ruptures, `bisect` looks for the release behind a new one.
    """

    folders: tuple[Path, ...] = ()
    history: Path = Path("history.csv")
    duet: DuetRequest | None = None
    confirm: int = 3
    by: str = "gate"
    bisect: bool = False

    @classmethod
    def of(cls, *, anchor: str | None = None, candidate: tuple[str, ...] = (), **given: Any) -> "WatchRequest":
        """The watch's own fields, and with an `anchor` and a `candidate` those of the duet that measures them now."""
        own = {name: given.pop(name) for name in [each.name for each in fields(cls)] if name in given}
        if not (anchor or candidate or given):
            return cls(**own)
        if not (anchor and candidate):
            raise UsageError("Give --anchor and --candidate to measure a night now, or neither and no option of it.")
        return cls(duet=DuetRequest(baseline=anchor, candidate=candidate, **given), **own)

    def check(self) -> None:
        """Raise `UsageError` for what cannot be meant."""
        require_positive(confirm=self.confirm)
        require_among("way to find changes", (self.by,), ("gate", "ruptures"))
