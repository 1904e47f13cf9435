"""The same pixels under several names: group methods by their measured outputs."""

import torch
from torch import Tensor

from upbench.bench.adapters import Adapter
from upbench.bench.cells import PLAIN
from upbench.bench.errors import FailedError, SkippedError
from upbench.bench.upsampler import build

TOLERANCE = 0.25 / 255  # a quarter of an 8-bit level, at every pixel
PROBES = 16  # of each degradation


def group(adapters: list[Adapter], low: Tensor, scale: int, device: torch.device) -> dict[str, str]:
    """Method name -> name of its group, from the outputs for uint8 images `(N, 3, H, W)`.

    Two methods share a group when, after clamping to [0, 1], no pixel differs by more than a quarter of an 8-bit level
    from the group's first member. Methods that have no float32 form are left out.
    """
    images = low.to(device, torch.float32) / 255
    leaders: dict[str, Tensor] = {}
    groups: dict[str, str] = {}
    for adapter in sorted(adapters, key=lambda a: (a.name not in PLAIN, a.family != "interpolate", a.name)):
        try:
            upsampler = build(adapter, scale, device, torch.float32)
            with torch.inference_mode():
                high = upsampler.attempt(images).clamp(0, 1)
        except (SkippedError, FailedError):
            continue
        groups[adapter.name] = next(
            (name for name, leader in leaders.items() if _same(leader, high)),
            adapter.name,
        )
        leaders.setdefault(groups[adapter.name], high)
    return groups


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and (one - other).abs().max().item() <= TOLERANCE
