"""What the commands that read a finished run are asked: `upbench report` and `upbench advise`."""

import math
from dataclasses import dataclass
from pathlib import Path

from upbench.bench.cells import check_device
from upbench.bench.requests import Request

DEFAULT_FOLDER = Path("reports/out")
JOINED = Path("reports/joined")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRequest(Request):
    """`report.md`, its figures, and `report.html` if `html`, made anew from the files in `folder`.

    With `others`, runs of other machines, the page tells of all of them and lies in `joined`.
    """

    folder: Path = DEFAULT_FOLDER
    others: tuple[Path, ...] = ()
    joined: Path = JOINED
    html: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviseRequest(Request):
    """What nothing beats in both quality and speed on a workload and device, of at least `min_psnr` dB."""

    folder: Path = DEFAULT_FOLDER
    workload: str = "image"
    device: str = "cpu"
    min_psnr: float = -math.inf

    def check(self) -> None:
        """Raise `UsageError` for a device that upbench does not measure on."""
        check_device(self.device)
