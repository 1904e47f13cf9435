"""Where a plain process takes another time than these tables say, and what to set (`allocators.json`)."""

from upbench.bench.cells import Cell
from upbench.bench.gate.allocators import WORTH_TELLING, telling
from upbench.bench.workers.launch import HELD_STILL
from upbench.reports.report import Report
from upbench.reports.words import Words, bold, code, listed, say

SHOWN = 3


def findings(report: Report) -> list[Words]:
    """One sentence where the two differ by more than a fifth; none where they do not."""
    told = [cell for each in report.run.allocators.get("comparisons", []) for cell in telling(each)]
    if not told:
        return []
    said = [_said(report, cell["cell"], cell["ratio"], cell["low"], cell["high"]) for cell in told[:SHOWN]]
    more = f", and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
    settings = code(" ".join(f"{name}={value}" for name, value in HELD_STILL.items()))
    return [
        say(
            "{}: times here are taken with memory held still. In a plain process {}{} (told from {} on). Start python"
            " with {} to have the times of this page.",
            bold("In your own program"),
            listed(said, "; "),
            more,
            f"{WORTH_TELLING:.0%}",
            settings,
        )
    ]


def _said(report: Report, name: str, ratio: float, low: float, high: float) -> Words:
    cell = Cell.parse(name)
    times, least, most = (f"{each:.2f}" for each in (ratio, low, high))
    where = report.short(cell.workload)
    return say("{} takes {}× as long on {} ({} to {})", code(cell.method), times, where, least, most)
