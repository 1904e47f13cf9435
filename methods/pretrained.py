"""Our trained weights: a safetensors file for each method and scale, with how it was made in its metadata."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn

FOLDER = Path(__file__).parent / "weights"
SCALES = (2, 4)
LARGEST = 64 << 20  # bytes; every file of ours is below 4 MiB

Network = TypeVar("Network", bound=nn.Module)


def path(folder: Path, name: str, scale: int) -> Path:
    """For example `weights/learned-espcn-x2.safetensors`."""
    return folder / f"{name}-x{scale}.safetensors"


def restore(
    build: Callable[[int], Network], name: str, scale: int, device: torch.device, dtype: torch.dtype
) -> Network:
    """Build a network for `scale` and fill it with its weights, in evaluation mode and still trainable.

    Raises `NotImplementedError` for scales that were not trained and for integer types.
    """
    if scale not in SCALES:
        raise NotImplementedError("trained for x2 and x4 only")
    if not dtype.is_floating_point:
        raise NotImplementedError(f"its weights are floating point; it cannot compute in {dtype}")
    network = build(scale)
    network.load_state_dict(load(path(FOLDER, name, scale)))
    return network.to(device, dtype).eval()


def load(file: Path) -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file, which holds numbers only; nothing in it can run.

    Raises `ValueError` when the file is larger than `LARGEST` or damaged.
    """
    if file.stat().st_size > LARGEST:
        raise ValueError(f"{file.name} is larger than {LARGEST >> 20} MiB, which no weights of ours are")
    try:
        return load_file(file)
    except SafetensorError as error:
        raise ValueError(f"{file.name} is damaged ({error}); install upbench again") from error


def save(network: nn.Module, file: Path, metadata: dict[str, str]) -> None:
    """Write float32 weights and their metadata (all strings), at once: a temporary file, then a rename."""
    weights = {name: value.detach().contiguous() for name, value in network.state_dict().items()}
    temporary = file.with_suffix(".partial")
    save_file(weights, temporary, metadata)
    temporary.chmod(0o644)  # safetensors writes files that only their owner can read
    temporary.replace(file)


def metadata(file: Path) -> dict[str, str]:
    """How a file of weights was made."""
    with safe_open(file, framework="pt") as opened:
        found: dict[str, str] = opened.metadata()
    return found
