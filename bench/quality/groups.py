"""The same pixels under several names: group methods by their measured outputs."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from upbench.bench.adapters import Adapter
from upbench.bench.cells import PLAIN

TOLERANCE = 0.25 / 255  # a quarter of an 8-bit level, at every pixel
PROBES = 16  # of each degradation
PROBE_SIDE = 128  # high-resolution pixels: of larger images the middle serves, so that all outputs fit in memory


def group(adapters: Sequence[Adapter], outputs: Mapping[str, Tensor]) -> dict[str, str]:
    """Method name -> name of its group, from each method's output `(N, 3, H, W)` in [0, 1] of the same images.

    Two methods share a group when no pixel differs by more than a quarter of an 8-bit level from the group's first
    member. Methods without an output are left out.
    """
    leaders: list[str] = []
    groups: dict[str, str] = {}
    for adapter in sorted(adapters, key=lambda a: (a.name not in PLAIN, a.family != "interpolate", a.name)):
        if adapter.name not in outputs:
            continue
        high = outputs[adapter.name]
        groups[adapter.name] = next((name for name in leaders if _same(outputs[name], high)), adapter.name)
        if groups[adapter.name] == adapter.name:
            leaders.append(adapter.name)
    return groups


def probes(low: Tensor, scale: int) -> Tensor:
    """The first images of `low` `(N, 3, H, W)`, uint8, as floats in [0, 1]; of large ones the middle."""
    side = PROBE_SIDE // scale
    top, left = (max(0, (length - side) // 2) for length in low.shape[-2:])
    return low[:PROBES, :, top : top + side, left : left + side].float() / 255


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and (one - other).abs().max().item() <= TOLERANCE
