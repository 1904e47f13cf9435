"""What must hold before a library is called: it imports, and it can take this device and this dtype."""

import importlib
import warnings
from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import torch
from torch import Tensor

Factory = Callable[[int, torch.device, torch.dtype], Any]
Array = np.ndarray[Any, Any]


def library(module: str, package: str, install: str = "'upbench[libraries]'") -> Any:
    """Import `module` of the distribution `package`.

    Raises `ImportError` with one plain sentence where it is absent, or is there and cannot be imported
    (torchvision beside another torch, for one, raises `RuntimeError`).
    """
    try:
        with warnings.catch_warnings():
            # At import torch-interpol has an invalid escape sequence and torchlanc uses torch.jit.script.
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", FutureWarning)
            return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == module.partition(".")[0]:
            raise ImportError(f"needs {package}: pip install {install}") from error
        raise ImportError(f"{package} is installed and cannot be imported: {error}") from error
    except Exception as error:
        raise ImportError(f"{package} is installed and cannot be imported: {error}") from error


def check_cpu(device: torch.device, package: str) -> None:
    """Raise `NotImplementedError` on any device but the CPU."""
    if device.type != "cpu":
        raise NotImplementedError(f"{package} works on the CPU only")


def check_dtype(dtype: torch.dtype, has: Collection[torch.dtype], package: str) -> None:
    """Raise `NotImplementedError` for a dtype that `package` lacks, spoils, or turns into another."""
    if dtype not in has:
        names = sorted(str(known).removeprefix("torch.") for known in has)
        raise NotImplementedError(f"{package} is run in {' or '.join(names)} only")


def array(low: Tensor) -> Array:
    """The `(N, C, H, W)` tensor as a NumPy array on the same memory.

    Raises `NotImplementedError` when a gradient is asked for.
    """
    if low.requires_grad:
        raise NotImplementedError("it works on arrays, which carry no gradient")
    values: Array = low.numpy()
    return values
