"""The slanted edge: how jagged, how wide, how overshooting a method draws a straight line.

A black-to-white edge, tilted by one column in every four rows, is drawn at low resolution by exact area coverage. A
perfect upsampler would put the edge's half-way points on a straight line and keep it as narrow as the low
resolution allows.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

EDGE_SIDE = 32
EDGE_TILT = 0.25  # columns per row
SUPERSAMPLES = 32


def slanted_edge(side: int = EDGE_SIDE) -> Tensor:
    """The low-resolution edge, `(side, side)` in [0, 1]: each pixel holds the white share of its area."""
    fine = (torch.arange(side * SUPERSAMPLES, dtype=torch.float64) + 0.5) / SUPERSAMPLES
    boundary = side / 2 + EDGE_TILT * (fine - side / 2)
    white = (fine[None, :] > boundary[:, None]).double()
    return white.reshape(side, SUPERSAMPLES, side, SUPERSAMPLES).mean(dim=(1, 3)).float()


def edge_figures(edge: np.ndarray[Any, Any]) -> dict[str, float]:
    """Figures of an upsampled edge `(scale*side, scale*side)`, in high-resolution pixels.

    `jaggedness_pixels`: root mean square distance of the half-way points from their best straight line.
    `edge_width_pixels`: mean distance from 10 % to 90 % along a row. `overshoot`: by how much values leave [0, 1].
    Raises `ValueError` when a row has no edge.
    """
    middle = edge[len(edge) // 4 : -len(edge) // 4]
    half = np.array([_crossing(row, 0.5) for row in middle])
    rows = np.arange(len(half))
    residual = half - np.polyval(np.polyfit(rows, half, 1), rows)
    width = np.mean([_crossing(row, 0.9) - _crossing(row, 0.1) for row in middle])
    return {
        "jaggedness_pixels": float(np.sqrt(np.mean(residual**2))),
        "edge_width_pixels": float(width),
        "overshoot": float(max(edge.max() - 1, -edge.min(), 0.0)),
    }


def _crossing(row: np.ndarray[Any, Any], level: float) -> float:
    """Column at which a row first rises through `level`, between pixel centres by a straight line."""
    above = np.flatnonzero((row[:-1] < level) & (row[1:] >= level))
    if not len(above):
        raise ValueError("a row of the upsampled edge does not rise from black to white")
    i = int(above[0])
    return float(i + (level - row[i]) / (row[i + 1] - row[i]))
