"""What `upbench upsample` and `upbench panel` are asked."""

from dataclasses import dataclass
from pathlib import Path

from upbench.bench.adapters import check_methods
from upbench.bench.cells import check_device, check_scales
from upbench.bench.errors import UsageError
from upbench.bench.requests import Request
from upbench.datasets.names import PICTURE_SUFFIXES


@dataclass(frozen=True, slots=True, kw_only=True)
class UpsampleRequest(Request):
    """One method, installed or a spec of one's own, on the picture `input`, written to `output`."""

    input: Path
    output: Path
    method: str
    scale: int = 2
    device: str = "cpu"

    def check(self) -> None:
        """Raise `UsageError` for a name that does not exist or cannot be meant."""
        is_spec = ":" in self.method
        check_methods(None if is_spec else (self.method,), (self.method,) if is_spec else ())
        _check_place(self.output, self.scale, self.device)


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelRequest(Request):
    """Several methods side by side on the picture `input`, drawn to `output`."""

    input: Path
    output: Path
    methods: tuple[str, ...] | None = None
    method: tuple[str, ...] = ()
    scale: int = 2
    device: str = "cpu"

    def check(self) -> None:
        """Raise `UsageError` for a name that does not exist or cannot be meant."""
        check_methods(self.methods, self.method)
        _check_place(self.output, self.scale, self.device)


def _check_place(output: Path, scale: int, device: str) -> None:
    check_scales((scale,))
    check_device(device)
    if output.suffix.lower() not in PICTURE_SUFFIXES:
        raise UsageError(f"{output}: give the output a name that ends in .png.")
