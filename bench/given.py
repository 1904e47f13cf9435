"""What a Python program hands over, as a worker can take it: callables, arrays and pictures as files and tensors."""

import hashlib
import sys
from collections.abc import Callable
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import torch

from upbench.bench.errors import UsageError


def plain(options: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Options with callables and arrays put into files of the folder, which a worker can read."""
    made = dict(options)
    named = made.get("methods")
    if named is not None and not isinstance(named, str):
        own = [pickled(each, folder) for each in named if callable(each)]
        specs = [each for each in named if isinstance(each, str) and ":" in each]
        made["methods"] = tuple(each for each in named if isinstance(each, str) and ":" not in each)
        made["method"] = (*made.get("method", ()), *specs, *own)
    if hasattr(made.get("dataset"), "shape"):
        made["dataset"] = f"array:{_saved(np.asarray(made['dataset']), folder)}"
    return made


def pickled(method: Callable[..., Any], folder: Path) -> str:
    """A callable of the caller's own as a spec."""
    name = getattr(method, "__name__", type(method).__name__)
    if not name.isidentifier():
        name = "own"
    return f"pickled:{_kept(_dumped(method), folder, f'{name}.pickle')}:{name}"


def _dumped(method: Callable[..., Any]) -> bytes:
    """Pickled by reference where a worker can import its module, else by value."""
    module = sys.modules.get(getattr(method, "__module__", None) or "__main__", sys.modules["__main__"])
    top = module.__name__.partition(".")[0]
    apart = top != "__main__" and top not in sys.builtin_module_names and not PathFinder.find_spec(top)
    if apart:
        cloudpickle.register_pickle_by_value(module)
    try:
        return bytes(cloudpickle.dumps(method))
    finally:
        if apart:
            cloudpickle.unregister_pickle_by_value(module)


def _saved(array: "np.ndarray[Any, Any]", folder: Path) -> Path:
    """An array as a file, named after its content."""
    digest = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:12]
    path = (folder / "own" / f"{digest}.npy").resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, array, allow_pickle=False)
    return path


def _kept(content: bytes, folder: Path, name: str) -> Path:
    """A file named after its content, so that the same call finds the same one again."""
    path = (folder / "own" / f"{hashlib.sha256(content).hexdigest()[:12]}-{name}").resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def as_batch(picture: Any) -> torch.Tensor:
    """A tensor or an array of images as `(N, 3, H, W)` floats; raises `UsageError` for another shape."""
    values = torch.as_tensor(picture)
    if isinstance(picture, np.ndarray):
        values = values.unsqueeze(-1).expand(*values.shape, 3) if values.ndim == 2 else values
        values = values.movedim(-1, -3)
    if values.ndim not in (3, 4) or values.shape[-3] != 3:
        raise UsageError(f"picture: its shape {tuple(picture.shape)} is none of (3, H, W), (N, 3, H, W) or (H, W, 3).")
    values = values.float() / 255 if values.dtype == torch.uint8 else values.float()
    return values.reshape(-1, *values.shape[-3:]).contiguous()


def as_given(high: torch.Tensor, picture: Any) -> Any:
    """Images `(N, 3, H, W)` in the form and dtype of `picture`."""
    is_array = isinstance(picture, np.ndarray)
    values = (high.clamp(0, 1) * 255).round().to(torch.uint8) if "uint8" in str(picture.dtype) else high
    if picture.ndim < 4:
        values = values[0]
    if not is_array:
        return values
    return values[0].numpy() if picture.ndim == 2 else values.movedim(-3, -1).contiguous().numpy()
