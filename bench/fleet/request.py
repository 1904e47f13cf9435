"""What `upbench merge` is asked."""

from dataclasses import dataclass
from pathlib import Path

from upbench.bench.errors import UsageError
from upbench.bench.requests import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRequest(Request):
    """Result folders of several hosts, to be joined by kind of host."""

    folders: tuple[Path, ...] = ()

    def check(self) -> None:
        """Raise `UsageError` where there is nothing to join."""
        if len({folder.resolve() for folder in self.folders}) < 2:
            raise UsageError("Name at least two result folders to join, such as upbench merge A/ B/ --out DIR.")
