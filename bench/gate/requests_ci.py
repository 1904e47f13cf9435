"""What continuous integration asks: `upbench verdict` over several machines, `upbench watch` over many nights."""

from dataclasses import dataclass, field
from pathlib import Path

from upbench.bench.errors import UsageError
from upbench.bench.requests import REPEATS, Request


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
