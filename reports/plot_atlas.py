"""The heat maps of the atlas: cells by releases, one map a pass."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.figure import Figure

from upbench.bench.cells import Cell
from upbench.bench.gate.outcome import short
from upbench.bench.gate.pixels import CHANGED
from upbench.reports import theme
from upbench.reports.theme import Theme

Record = dict[str, Any]

LIMIT = 2.0  # ratios beyond it to either side have the end of the colours
SHOWN = ("SLOWER", "FASTER")
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def heat(atlas: Record, step: str) -> pd.DataFrame:
    """Cells of a pass by releases: the ratio to the release before, missing where it was not measured."""
    columns = {}
    for comparison in atlas.get("comparisons", []):
        values = {short(cell["cell"]): cell["ratio"] for cell in _cells(comparison, step)}
        columns[comparison["candidate"]["label"]] = pd.Series(values, dtype=float)
    return pd.DataFrame(columns)


def _cells(comparison: Record, step: str) -> list[Record]:
    return [cell for cell in comparison["cells"] if Cell.parse(cell["cell"]).step == step]


def draw(atlas: Record, step: str, colours: Theme) -> Figure:
    """Slower is warm, faster is cool; a confirmed change is written out, a change of pixels is a diamond."""
    found = heat(atlas, step)
    left, top, row = 2.4, 0.55, 0.215
    figure = theme.figure(top + row * len(found) + 0.1)
    width = min(1.2, (theme.WIDTH - left) / len(found.columns))
    axis = theme.axes(figure, left, top, width * len(found.columns), row * len(found))
    axis.set_axis_off()
    axis.set(xlim=(-0.5, len(found.columns) - 0.5), ylim=(len(found) - 0.5, -0.5))
    for (place, column), share in np.ndenumerate(_share(found.to_numpy(dtype=float))):
        if np.isfinite(share):
            sides = (
                [column - 0.48, column + 0.48, column + 0.48, column - 0.48],
                [place - 0.46] * 2 + [place + 0.46] * 2,
            )
            axis.fill(*sides, color=_shade(share, colours), linewidth=0)
    for column, comparison in enumerate(atlas["comparisons"]):
        name = str(comparison["candidate"]["label"])[:14]
        theme.put(figure, left + (column + 0.5) * width, 0.32, name, ha="center", fontsize=theme.SMALL)
        _marks(axis, column, list(found.index), _cells(comparison, step), colours)
    for place, name in enumerate(found.index):
        y = top + (place + 0.5) * row
        theme.put(figure, left - 0.07, y, _label(str(name), step), ha="right", va="center", fontsize=theme.SMALL)
    said = "time over that of the release before; numbers: confirmed, red slower, blue faster; diamonds: other pixels"
    theme.put(figure, left, 0.04, said, fontsize=theme.SMALL, color=colours.muted)
    return figure


def _marks(axis: Any, column: int, names: list[str], cells: list[Record], colours: Theme) -> None:
    for cell in cells:
        row = names.index(short(cell["cell"]))
        if cell["verdict"] in SHOWN:
            ink = theme.DARK.ink if np.dot(_shade(_share(cell["ratio"]), colours)[:3], LUMA) < 0.5 else theme.LIGHT.ink
            said = f"{cell['ratio']:.2f}"
            axis.text(column, row, said, ha="center", va="center", fontsize=theme.SMALL, color=ink)
        if (cell["pixels"] or {}).get("status") == CHANGED:
            axis.plot(column - 0.42, row - 0.3, "D", color=colours.ink, markersize=3)


def _share(ratio: Any) -> Any:
    """Where ratios lie between the ends of the colours, 0 to 1; 1 is in the middle."""
    return np.log2(ratio) / (2 * np.log2(LIMIT)) + 0.5


def _shade(share: float, colours: Theme) -> tuple[float, float, float, float]:
    return colormaps[colours.signed](float(np.clip(share, 0, 1)))


def _label(name: str, step: str) -> str:
    """A cell's name without the pass, which is the map's."""
    return name.removesuffix(f"/{step}")[:38]
