"""What all figures share: a section names its drawings, and they are drawn and linked in one way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from upbench.reports.frame import Run

Drawn = Mapping[str, Path]  # a figure's name -> its file, for those that the run's files allow


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure: what it shows, in words, and the function that draws it and says whether there was anything to draw."""

    shows: str
    draw: Callable[[Run, Path], bool]


def draw(run: Run, drawings: Mapping[str, Drawing], folder: Path) -> Drawn:
    """Draw what the run's files allow."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"{name}.png" for name in drawings}
    return {name: path for name, path in paths.items() if drawings[name].draw(run, path)}


def linked(drawings: Mapping[str, Drawing], name: str, drawn: Drawn) -> str:
    """A figure as the page links it; empty where it was not drawn."""
    return f"![{drawings[name].shows}](figures/{drawn[name].name})" if name in drawn else ""


def save(figure: Figure, path: Path, *, dpi: int) -> None:
    """Write a PNG; the layout is found once, where matplotlib by itself finds it twice and draws for it."""
    figure.set_dpi(dpi)
    lay_out(figure)
    figure.set_layout_engine("none")
    figure.savefig(path, dpi=dpi)


def lay_out(figure: Figure) -> None:
    """Give everything in the figure its place without drawing it."""
    if engine := figure.get_layout_engine():
        engine.execute(figure)
