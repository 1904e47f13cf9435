"""What `upbench selfcheck` is asked."""

from dataclasses import dataclass

from upbench.bench.cells import check_device
from upbench.bench.requests import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfcheckRequest(Request):
    """Are the clocks of a device right?"""

    device: str = "cpu"

    def check(self) -> None:
        """Raise `UsageError` for a device that upbench has no clock for."""
        check_device(self.device)
