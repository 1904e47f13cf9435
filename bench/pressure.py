"""How crowded a machine was while something ran: load, stolen time, involuntary switches, page faults.

`/proc` and `getrusage` tell it on Linux, on macOS less, on Windows nothing; what is not told is None.
"""

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Moment:
    """Counters at one moment: seconds, and counts of this process since its start."""

    wall: float
    processor: float
    stolen: float | None
    switches: int | None
    faults: int | None


def moment() -> Moment:
    """Read the counters."""
    switches = faults = None
    with suppress(ImportError):
        import resource

        usage = resource.getrusage(resource.RUSAGE_SELF)
        switches, faults = usage.ru_nivcsw, usage.ru_minflt + usage.ru_majflt
    return Moment(time.perf_counter(), time.process_time(), _stolen(), switches, faults)


def since(before: Moment) -> dict[str, Any]:
    """What happened since: `seconds`, `busy` (processor seconds a second, of this process), `load` (runnable processes
    a core, over the last minute), `stolen` (share of all cores' time that went to other machines),
    `involuntary_switches` and `page_faults` (a second).
    """
    after = moment()
    seconds = max(after.wall - before.wall, 1e-9)
    cores = os.cpu_count() or 1
    return {
        "seconds": seconds,
        "busy": (after.processor - before.processor) / seconds,
        "load": os.getloadavg()[0] / cores if hasattr(os, "getloadavg") else None,
        "stolen": _rate(before.stolen, after.stolen, seconds * cores),
        "involuntary_switches": _rate(before.switches, after.switches, seconds),
        "page_faults": _rate(before.faults, after.faults, seconds),
    }


def _rate(before: float | None, after: float | None, per: float) -> float | None:
    return None if before is None or after is None else (after - before) / per


def _stolen() -> float | None:
    """Seconds of all cores that the hypervisor gave to others (proc(5), the eighth number of `cpu`)."""
    with suppress(OSError, IndexError, ValueError, AttributeError):
        first = Path("/proc/stat").read_text().partition("\n")[0].split()
        return int(first[8]) / os.sysconf("SC_CLK_TCK")
    return None
