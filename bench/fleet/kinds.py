"""What makes two hosts one kind: the hardware that decides a time. Times of two kinds are never put together."""

import re
from typing import Any

from upbench.bench.keys import key
from upbench.reports.frame import Run

HARDWARE = ("cpu", "cores", "cpu_capability", "system")
OF_A_GPU = ("name", "memory_gib", "multiprocessors")

Host = dict[str, Any]


def hardware(host: Host) -> Host:
    """The part of `host.identity` (or of `host.json`) that no software changes."""
    gpu = host.get("gpu")
    return {name: host.get(name) for name in HARDWARE} | {"gpu": gpu and {name: gpu.get(name) for name in OF_A_GPU}}


def kind(host: Host) -> str:
    """The name of a host's kind, which is also its folder's: its words for a reader, and a digest that decides."""
    found = hardware(host)
    words = [found["gpu"]["name"]] if found["gpu"] else [f"{found['cpu']} {found['cores']} cores"]
    name = re.sub(r"[^a-z0-9]+", "-", " ".join(words).lower()).strip("-")[:48]
    return f"{name}-{key(found)[:6]}"


def host_of(run: Run) -> Host:
    """The host that a folder was measured on."""
    return run.host or run.speed_host


def kind_of(run: Run) -> str:
    """The kind of that host."""
    return kind(host_of(run))
