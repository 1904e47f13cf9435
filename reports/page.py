"""The report: one markdown page that GitHub renders, made from an output folder's files, section by section."""

from types import ModuleType

from upbench.reports import (
    advice,
    atlas,
    claims,
    diagnosis,
    figures,
    gate,
    gpu,
    head,
    headline,
    pictures,
    protocol,
    quality,
    same_pixels,
    selfcheck,
    speed,
    sweep,
    unmeasured,
    watch,
)
from upbench.reports.frame import Run

# In the order of the page. A section is a module with `section(run, drawn)`, its markdown or nothing, and where it
# draws, `FIGURES`. A new stage brings a file and a line here.
SECTIONS: tuple[ModuleType, ...] = (
    head,
    advice,
    headline,
    pictures,
    claims,
    quality,
    diagnosis,
    same_pixels,
    speed,
    gpu,
    sweep,
    selfcheck,
    gate,
    watch,
    atlas,
    unmeasured,
    protocol,
)


def compose(run: Run) -> str:
    """Draw the run's figures into its folder and return the page."""
    sections = (head, gate, watch, atlas) if head.versions_only(run) else SECTIONS
    drawings = {name: drawing for module in sections for name, drawing in getattr(module, "FIGURES", {}).items()}
    drawn = figures.draw(run, drawings, run.folder / "figures")
    return "\n\n".join(text for module in sections if (text := module.section(run, drawn))) + "\n"
