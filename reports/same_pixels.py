"""Which names give the same pixels, and the fastest of them."""

from upbench.reports import advice, tables
from upbench.reports.figures import Drawn
from upbench.reports.frame import Run


def section(run: Run, drawn: Drawn) -> str:
    """For each workload, the names that give the same pixels, and the fastest of them."""
    parts = []
    for workload in dict.fromkeys(tables.main_speed(run.speed)["workload"]) if len(run.speed) else ():
        table = advice.faster_names(advice.candidates(run.quality, run.speed, workload))
        if len(table):
            parts.append(f"### {workload}\n\n{tables.markdown(table, {'time (ms)': '.3g'})}")
    note = (
        "Methods whose outputs differ by no more than a quarter of an 8-bit level at any pixel of the probe images."
        " Take the fastest: nobody will see a difference."
    )
    return "\n\n".join(["## The same pixels", note, *parts]) if parts else ""
