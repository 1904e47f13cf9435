"""What `upbench code` is asked."""

from dataclasses import dataclass
from pathlib import Path

from upbench.bench.adapters import check_methods
from upbench.bench.cells import check_scales
from upbench.bench.requests import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRequest(Request):
    """One installed method at one scale, as a module of its own; `out` is its file, which weights lie beside."""

    method: str
    scale: int = 2
    out: Path | None = None

    def check(self) -> None:
        """Raise `UsageError` for a name or a scale that does not exist."""
        check_methods((self.method,), ())
        check_scales((self.scale,))
