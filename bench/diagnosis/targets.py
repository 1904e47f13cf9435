"""What a mean PSNR hides: shift, gain, overshoot, checkerboard, edges and frequency response on synthetic targets.

All targets are grey, in [0, 1]; lengths are in high-resolution pixels, frequencies in cycles per low-resolution pixel.
"""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from upbench.bench.diagnosis.edge import edge_figures, slanted_edge
from upbench.bench.errors import FailedError, SkippedError

SIDE = 64
MARGIN = 12  # low-resolution pixels left out at each border: what is measured here is the kernel, not the edge rule
SHIFT_FREQUENCY = 1 / 20  # a whole cycle in each half of what the margins leave
FREQUENCIES = tuple((np.arange(1, 20) / 40).tolist())  # whole cycles in what the margins leave, up to the limit 1/2

Array = np.ndarray[Any, np.dtype[np.float64]]
Grey = Callable[[Tensor], Array]


class Upsampler(Protocol):
    """What is diagnosed: an upsampler here, or behind walls."""

    def attempt(self, low: Tensor) -> Tensor:
        """`(N, C, H, W)` to `(N, C, scale*H, scale*W)`; raises `SkippedError` or `FailedError`."""


Build = Callable[[torch.dtype], Upsampler]

COLUMNS = (
    "method",
    "scale",
    "shift_pixels",
    "stretch_pixels",
    "gain",
    "checkerboard",
    "overshoot",
    "jaggedness_pixels",
    "edge_width_pixels",
    "status",
    "reason",
)
RESPONSE_COLUMNS = ("method", "scale", "frequency", "gain")


def diagnose(
    build: Build, method: str, scale: int, device: torch.device | str
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """One method's row of figures (or the reason why there are none), and its frequency response.

    `shift_pixels`: how far the image moves right or down; `stretch_pixels`: how much farther at its end than at its
    start (a method that aligns corners stretches); `gain`: mean output over input for a constant; `checkerboard`:
    standard deviation between the phases of the output of a constant 0.5; the rest: `upbench.bench.diagnosis.edge`.
    """
    row: dict[str, Any] = {"method": method, "scale": scale, "status": "ok", "reason": ""}
    try:
        grey = _grey(build, device)
        row |= _shift(grey, scale) | _constant(grey, scale) | _edge(grey)
        gains = [_response(grey, scale, frequency) for frequency in FREQUENCIES]
    except SkippedError as reason:
        return row | {"status": "skipped", "reason": str(reason)}, []
    except FailedError as reason:
        return row | {"status": "failed", "reason": str(reason)}, []
    keys = {"method": method, "scale": scale}
    response = [
        keys | {"frequency": frequency, "gain": gain} for frequency, gain in zip(FREQUENCIES, gains, strict=True)
    ]
    return row, response


def _grey(build: Build, device: torch.device | str) -> Grey:
    """The method on one grey image `(H, W)`: its green output, `(scale*H, scale*W)`."""
    upsampler = build(torch.float32)

    def upsample(low: Tensor) -> Array:
        images = low.to(device, torch.float32).expand(1, 3, -1, -1).contiguous()
        with torch.inference_mode():
            green: Array = upsampler.attempt(images)[0, 1].double().cpu().numpy()
        return green

    return upsample


def _wave(frequency: float, axis: int) -> Tensor:
    """0.5 + 0.25 sin along an axis, sampled at pixel centres, `(SIDE, SIDE)`."""
    centres = torch.arange(SIDE, dtype=torch.float64) + 0.5
    line = 0.5 + 0.25 * torch.sin(2 * torch.pi * frequency * centres)
    return (line[None, :] if axis == 1 else line[:, None]).expand(SIDE, SIDE)


def _fit(line: Array, start: int, frequency: float) -> complex:
    """Least-squares amplitude and phase of a wave (cycles per high-resolution pixel) in pixels from `start` on."""
    angle = 2 * np.pi * frequency * (np.arange(start, start + len(line)) + 0.5)
    basis = np.stack([np.sin(angle), np.cos(angle), np.ones_like(angle)], axis=1)
    sine, cosine, _ = np.linalg.lstsq(basis, line, rcond=None)[0]
    return complex(sine, cosine)


def _profile(grey: Grey, frequency: float, axis: int) -> Array:
    high = grey(_wave(frequency, axis))
    return np.asarray(high.mean(axis=1 - axis))


def _shift(grey: Grey, scale: int) -> dict[str, float]:
    """Shift and stretch along the axis where they are larger, from a slow wave's phase in two halves of the image."""
    high_frequency = SHIFT_FREQUENCY / scale
    worst = (0.0, 0.0)
    for axis in (0, 1):
        line = _profile(grey, SHIFT_FREQUENCY, axis)
        first, middle, last = MARGIN * scale, SIDE * scale // 2, (SIDE - MARGIN) * scale
        shifts = [
            -np.angle(_fit(line[start:stop], start, high_frequency)) / (2 * np.pi * high_frequency)
            for start, stop in ((first, middle), (middle, last))
        ]
        found = (float(np.mean(shifts)), float(shifts[1] - shifts[0]))
        worst = max(worst, found, key=lambda pair: abs(pair[0]) + abs(pair[1]))
    return {"shift_pixels": worst[0], "stretch_pixels": worst[1]}


def _constant(grey: Grey, scale: int) -> dict[str, float]:
    high = grey(torch.full((SIDE, SIDE), 0.5))[MARGIN * scale : -MARGIN * scale, MARGIN * scale : -MARGIN * scale]
    phases = [high[i::scale, j::scale].mean() for i in range(scale) for j in range(scale)]
    return {"gain": float(high.mean() / 0.5), "checkerboard": float(np.std(phases))}


def _edge(grey: Grey) -> dict[str, Any]:
    """The edge's figures, or the reason why an image without an edge has none: a finding, no failure."""
    try:
        return edge_figures(grey(slanted_edge()))
    except ValueError as reason:
        return {"reason": str(reason)}


def _response(grey: Grey, scale: int, frequency: float) -> float:
    """Output over input amplitude of a horizontal wave."""
    line = _profile(grey, frequency, axis=1)[MARGIN * scale : -MARGIN * scale]
    return float(abs(_fit(line, MARGIN * scale, frequency / scale)) / 0.25)
