"""What `upbench selfcheck` found."""

import pandas as pd

from upbench.reports import tables
from upbench.reports.figures import Drawn
from upbench.reports.frame import Run


def section(run: Run, drawn: Drawn) -> str:
    """What `upbench selfcheck` found, as it was found."""
    if "checks" not in run.selfcheck:
        return ""
    table = pd.DataFrame(run.selfcheck["checks"])
    columns = ["what", "unit", "expected", "measured", "error", "spread", "limit", "verdict", "reason"]
    formats = {"expected": ".5g", "measured": ".5g", "error": "+.2%", "spread": ".2%", "limit": ".0%"}
    return f"## Self-check of the clocks\n\n{tables.markdown(table[columns], formats)}"
