"""Where a plain process takes another time than these tables say, and what to set (`allocators.json`)."""

from upbench.bench.cells import Cell
from upbench.bench.gate.outcome import Record
from upbench.bench.workers.launch import HELD_STILL
from upbench.reports.report import Report
from upbench.reports.words import Words, bold, code, listed, say

SHOWN = 3


def findings(report: Report) -> list[Words]:
    """One sentence where the two differ by more than a fifth; none where they do not."""
    comparisons = report.run.allocators.get("comparisons", [])
    told = [cell for each in comparisons for cell in telling(each)]
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
            f"{comparisons[0]['settings']['threshold']:.0%}",
            settings,
        )
    ]


def telling(comparison: Record) -> list[Record]:
    """The cells in which a plain process surely takes another time by the threshold, the most striking one first."""
    beyond = 1 + comparison["settings"]["threshold"]
    found = [cell for cell in comparison["cells"] if cell["ratio"] is not None]
    told = [cell for cell in found if cell["low"] > beyond or cell["high"] < 1 / beyond]
    return sorted(told, key=lambda cell: max(cell["ratio"], 1 / cell["ratio"]), reverse=True)


def _said(report: Report, name: str, ratio: float, low: float, high: float) -> Words:
    cell = Cell.parse(name)
    times, least, most = (f"{each:.2f}" for each in (ratio, low, high))
    where = report.short(cell.workload)
    return say("{} takes {}× as long on {} ({} to {})", code(cell.method), times, where, least, most)
