"""What is said of pixels at the edges of the space of shapes. Reads records only."""

from typing import Any

from upbench.bench.gate.pixels import CHANGED, IDENTICAL, ROUNDING

Row = dict[str, Any]

LOST = "lost"  # the baseline can, the candidate refuses
GAINED = "gained"


def unlike(found: Row) -> bool:
    """Whether there is something to tell: any case that is neither the same on both sides nor refused by both."""
    return "reason" in found or bool(found["broken"]) or bool(set(found["counts"]) - {IDENTICAL, "refused"})


def sentence(method: str, found: Row) -> str:
    """What is said of one method, for people."""
    if "reason" in found:
        return f"{method}: its edges were not compared ({found['reason']})"
    counts, smallest = found["counts"], found["smallest"]
    parts = [f"{counts.get(IDENTICAL, 0)} of {found['cases']} edge cases identical"]
    if ROUNDING in smallest:
        about = smallest[ROUNDING]
        parts.append(f"{counts[ROUNDING]} within rounding (smallest input {about['case']})")
    if CHANGED in smallest:
        about = smallest[CHANGED]
        how = f"by up to {about['largest']:.2g}" if "largest" in about else about["reason"]
        parts.append(f"{counts[CHANGED]} CHANGED (smallest input {about['case']}: {how})")
    for kind in (LOST, GAINED):
        if kind in smallest:
            about = smallest[kind]
            parts.append(f"{counts[kind]} {kind} (smallest input {about['case']}: {about['reason']})")
    if refused := counts.get("refused"):
        parts.append(f"{refused} refused by both")
    return f"{method}: " + ", ".join([*parts, *found["broken"]])
