"""Where it ran: `identity` decides whether two runs may be compared, `fingerprint` adds what changes between runs."""

import os
import platform
import subprocess
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from upbench.bench.processor import cpu_model

PACKAGES = ("upbench", "torch", "torchvision", "numpy", "scipy", "scikit-image", "pillow", "triton")
ALLOCATOR_VARIABLES = (
    "MALLOC_MMAP_THRESHOLD_",
    "MALLOC_TRIM_THRESHOLD_",
    "MALLOC_ARENA_MAX",
    "THP_MEM_ALLOC_ENABLE",
    "LD_PRELOAD",
    "PYTORCH_CUDA_ALLOC_CONF",
    "PYTORCH_ALLOC_CONF",
)


def identity() -> dict[str, Any]:
    """The machine, the software and the settings that decide a timing."""
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "cpu_capability": _cpu_capability(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "allocator": {name: os.environ[name] for name in ALLOCATOR_VARIABLES if name in os.environ},
        "gpu": _gpu(),
        "flags": {
            "cuda.matmul.fp32_precision": _precision(torch.backends.cuda.matmul),
            "cudnn.conv.fp32_precision": _precision(getattr(torch.backends.cudnn, "conv", torch.backends.cudnn)),
            "cudnn.benchmark": torch.backends.cudnn.benchmark,
            "deterministic": torch.are_deterministic_algorithms_enabled(),
        },
    }


def fingerprint() -> dict[str, Any]:
    """`identity` and the volatile fields: time (UTC), load, kernel, source commit where there is one."""
    return identity() | {
        "utc": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "load_average": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
        "kernel": platform.release(),
        "torch_threads": torch.get_num_threads(),
        "torch_commit": torch.version.git_version,
        "commit": _commit(),
    }


def _cpu_capability() -> str | None:
    """The instructions that torch's kernels were chosen for; torch before 2.1 does not tell by itself."""
    tells = getattr(torch.backends, "cpu", None)
    if tells is not None:
        return str(tells.get_cpu_capability())
    said = [line for line in torch.__config__.show().splitlines() if "CPU capability usage:" in line]
    return said[0].rpartition(":")[2].strip() if said else None


def _precision(backend: Any) -> str:
    """Of float32 products: `fp32_precision`, and from `allow_tf32` before torch 2.9, which has not the other name."""
    major, minor, *_ = torch.__version__.split(".")
    if (int(major), int(minor)) >= (2, 9):
        return str(backend.fp32_precision)
    return "tf32" if backend.allow_tf32 else "ieee"


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _gpu() -> dict[str, Any] | None:
    if not torch.cuda.is_available():
        return None
    properties = torch.cuda.get_device_properties(0)
    return {
        "name": properties.name,
        "memory_gib": round(properties.total_memory / 2**30, 1),
        "multiprocessors": properties.multi_processor_count,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),  # type: ignore[no-untyped-call]
        "driver": _driver(),
    }


def _driver() -> str | None:
    return _output("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader")


def _commit() -> str | None:
    """The commit of the checkout that this file is in, if it is in one."""
    return _output("git", "-C", str(Path(__file__).resolve().parent), "rev-parse", "HEAD")


def _output(*command: str) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    lines = done.stdout.split("\n")
    return lines[0].strip() or None
