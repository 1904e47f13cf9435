"""The look of all figures: two themes, a family's colour and marker, type sizes at the width that GitHub shows."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from upbench.reports import families

WIDTH = 8.3  # inches; at 200 dpi twice the 830 px that GitHub shows
DPI = 200
SIZE, SMALL, LARGE = 10.0, 9.0, 11.0  # points


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """Colours on a background; `families` has each family's, `heat` the names of colour maps (sequential, signed)."""

    name: str
    page: str
    ink: str
    muted: str
    rule: str
    band: str
    good: str
    bad: str
    unsure: str
    cool: str
    families: dict[str, str]
    signed: str


LIGHT = Theme(
    name="light",
    page="#ffffff",
    ink="#1f2328",
    muted="#59636e",
    rule="#d1d9e0",
    band="#f4f6f8",
    good="#1a7f37",
    bad="#cf222e",
    unsure="#9a6700",
    cool="#5b95c5",
    families={
        "torch": "#005a9c",
        "upbench": "#c2410c",
        "spectral": "#1b9e5a",
        "convolution": "#882255",
        "libraries": "#7b848d",
        "learned": "#15191e",
        "yours": "#8250df",
    },
    signed="RdBu_r",
)

DARK = Theme(
    name="dark",
    page="#0d1117",
    ink="#f0f6fc",
    muted="#9198a1",
    rule="#3d444d",
    band="#161b22",
    good="#3fb951",
    bad="#f85149",
    unsure="#d29922",
    cool="#1f5a8f",
    families={
        "torch": "#2f81c7",
        "upbench": "#d55e00",
        "spectral": "#3fb950",
        "convolution": "#b5548f",
        "libraries": "#b1bac4",
        "learned": "#f0e442",
        "yours": "#a475f9",
    },
    signed="berlin",
)

THEMES = (LIGHT, DARK)

MARKERS = {
    "torch": "o",
    "upbench": "s",
    "spectral": "D",
    "convolution": "^",
    "libraries": "X",
    "learned": "P",
    "yours": "*",
}


def _fonts() -> list[str]:
    """Source Sans where its package is installed, matplotlib's own behind it."""
    try:
        import font_source_sans_pro as source
    except ImportError:
        return ["DejaVu Sans"]
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # its own type has no semibold
    if not any(font.name == "Source Sans Pro" for font in font_manager.fontManager.ttflist):
        for face in (source.SourceSansPro, source.SourceSansProSemibold):
            font_manager.fontManager.addfont(face)
    return ["Source Sans Pro", "DejaVu Sans"]


@contextmanager
def styled(theme: Theme) -> Iterator[None]:
    """Matplotlib's settings while a figure of that theme is made and written."""
    settings: Any = {
        "font.family": _fonts(),
        "font.size": SIZE,
        "text.color": theme.ink,
        "axes.edgecolor": theme.rule,
        "axes.labelcolor": theme.muted,
        "axes.labelsize": SMALL,
        "axes.titlesize": LARGE,
        "axes.titleweight": "semibold",
        "axes.titlelocation": "left",
        "axes.facecolor": theme.page,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.spines.left": False,
        "axes.axisbelow": True,
        "figure.facecolor": theme.page,
        "savefig.facecolor": theme.page,
        "grid.color": theme.rule,
        "grid.alpha": 0.6,
        "grid.linewidth": 0.6,
        "xtick.color": theme.rule,
        "ytick.color": theme.rule,
        "xtick.labelcolor": theme.muted,
        "ytick.labelcolor": theme.muted,
        "xtick.labelsize": SMALL,
        "ytick.labelsize": SMALL,
        "ytick.major.size": 0,
        "svg.hashsalt": "upbench",
        "svg.fonttype": "path",
    }
    with mpl.rc_context(settings):
        yield


def figure(height: float) -> Figure:
    """An empty figure as wide as the page shows, `height` inches high; axes are placed by `axes`."""
    return Figure(figsize=(WIDTH, height), dpi=100)


def axes(canvas: Figure, left: float, top: float, width: float, height: float) -> Any:
    """Axes placed in inches from the figure's left and top."""
    whole_width, whole_height = canvas.get_size_inches()
    bottom = whole_height - top - height
    return canvas.add_axes((left / whole_width, bottom / whole_height, width / whole_width, height / whole_height))


def put(canvas: Figure, left: float, top: float, said: str, **style: Any) -> Any:
    """Text placed in inches from the figure's left and top."""
    whole_width, whole_height = canvas.get_size_inches()
    return canvas.text(left / whole_width, 1 - top / whole_height, said, **({"va": "top"} | style))


def legend(canvas: Figure, theme: Theme, found: set[str]) -> None:
    """The families of a figure in a line at its top."""
    handles = [
        Line2D([], [], color=theme.families[family], marker=MARKERS[family], linestyle="", markersize=7, label=label)
        for family, label in families.NAMES.items()
        if family in found
    ]
    canvas.legend(
        handles=handles,
        loc="upper left",
        ncols=len(handles),
        frameon=False,
        borderaxespad=0.2,
        handletextpad=0.2,
        columnspacing=1.4,
        fontsize=SIZE,
    )


def duration(value: float, _position: object = None) -> str:
    """A tick of a time axis in seconds: 0.1 ms, 10 ms, 1 s."""
    if value >= 1:
        return f"{value:g} s"
    return f"{value * 1e3:g} ms" if value >= 9e-5 else f"{value * 1e6:g} µs"
