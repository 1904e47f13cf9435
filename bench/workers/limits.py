"""What a worker may take: memory, and no core dumps. Applied by the worker itself before it imports an adapter.

On the CPU the limit is on the address space (Linux, macOS does not keep to it, Windows has none), counted from what
torch has mapped by then; on CUDA it is the allocator's share, since CUDA maps more address space than there is memory.
"""

import os
from contextlib import suppress
from pathlib import Path

import torch

SHARE = 0.8  # of the machine's memory, where nothing else is said
CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def machine_bytes() -> int:
    """The memory that this machine, or the container around us, has."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")] if hasattr(os, "sysconf") else []
    for limit in CGROUP_LIMITS:
        with suppress(OSError, ValueError):  # "max" stands for none
            found.append(int(Path(limit).read_text()))
    return min(found, default=2**63 - 1)


def apply(memory: int | None, device: str) -> None:
    """Keep this process to so many bytes more than it has mapped by now; None: 80 % of the machine's memory."""
    wanted = memory or int(SHARE * machine_bytes())
    if torch.device(device).type == "cuda":
        total = torch.cuda.get_device_properties(device).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, wanted / total) if memory else SHARE, device)
        return
    with suppress(ImportError):  # Windows
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        most = mapped_bytes() + wanted
        resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def mapped_bytes() -> int:
    """This process's address space; 0 where the system does not tell."""
    with suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    return 0
