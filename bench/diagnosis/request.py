"""What `upbench diagnose` is asked."""

from dataclasses import dataclass

from upbench.bench.adapters import check_methods
from upbench.bench.cells import check_device, check_scales
from upbench.bench.requests import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosisRequest(Request):
    """Shift, gain, overshoot and so on of methods, on synthetic targets; fields as in `QualityRequest`."""

    methods: tuple[str, ...] | None = None
    method: tuple[str, ...] = ()
    scales: tuple[int, ...] = (2,)
    device: str = "cpu"

    def check(self) -> None:
        """Raise `UsageError` for a name that does not exist or a number that cannot be meant."""
        check_methods(self.methods, self.method)
        check_scales(self.scales)
        check_device(self.device)
