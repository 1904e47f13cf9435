"""Images between two processes: one writes them into a mapped file, the other reads them there; the values are equal
bit by bit, and so is the order in memory.
"""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

SMALLEST = 2**20  # bytes of a file
MEMORY = Path("/dev/shm")
ROOM = 2**30  # bytes that must be free there

Message = dict[str, Any]


def private_folder() -> Path:
    """A new folder for sheets, in memory where there is room."""
    roomy = False
    with suppress(OSError):
        roomy = shutil.disk_usage(MEMORY).free >= ROOM
    return Path(tempfile.mkdtemp(prefix="upbench-", dir=MEMORY if roomy else None))


class Sheet:
    """A file that holds one tensor at a time."""

    def __init__(self, path: Path) -> None:
        """The file is made when something is put."""
        self.path = path
        self._mapped = torch.empty(0, dtype=torch.uint8)

    def put(self, tensor: Tensor) -> Message:
        """Write a tensor of any plain dtype; what `take` needs to read it. Raises `OSError` where there is no room."""
        order = sorted(range(tensor.dim()), key=tensor.stride, reverse=True)
        packed = tensor.detach().cpu().permute(order).contiguous()
        flat = packed.reshape(-1).view(torch.uint8)
        if len(flat) > len(self._mapped):
            self._map(max(SMALLEST, 1 << (len(flat) - 1).bit_length()))
        self._mapped[: len(flat)].copy_(flat)
        dtype = str(packed.dtype).removeprefix("torch.")
        return {"bytes": len(flat), "dtype": dtype, "shape": list(packed.shape), "order": order}

    def take(self, about: Message) -> Tensor:
        """A copy of the tensor that the other process put."""
        if about["bytes"] > len(self._mapped):
            self._map(self.path.stat().st_size)
        flat = self._mapped[: about["bytes"]].clone()
        inverse = sorted(range(len(about["order"])), key=about["order"].__getitem__)
        return flat.view(getattr(torch, about["dtype"])).view(about["shape"]).permute(inverse)

    def _map(self, size: int) -> None:
        if hasattr(os, "posix_fallocate"):  # a full memory shows here, not as a signal later
            with self.path.open("ab") as file:
                os.posix_fallocate(file.fileno(), 0, size)
        with torch.inference_mode(mode=False):
            self._mapped = torch.from_file(str(self.path), shared=True, size=size, dtype=torch.uint8)
