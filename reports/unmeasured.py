"""What was not measured, and why."""

from upbench.reports import tables
from upbench.reports.figures import Drawn
from upbench.reports.frame import Run


def section(run: Run, drawn: Drawn) -> str:
    """Everything that was skipped or failed, with its reason."""
    table = tables.not_measured(run.quality, run.cells)
    return "" if table.empty else f"## Not measured\n\n{tables.markdown(table)}"
