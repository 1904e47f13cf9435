"""What GitHub Actions shows of a comparison: annotations on standard output, the job's summary, a step's outputs.

Source: GitHub documentation, "Workflow commands for GitHub Actions".
"""

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from upbench.bench.gate.ci.comment import comment
from upbench.bench.gate.ci.escaping import code
from upbench.bench.gate.outcome import Record, by_severity, counts, sentence, title
from upbench.bench.gate.pixels import CHANGED
from upbench.bench.gate.verdict import Verdict

ERRORS = (Verdict.SLOWER.value, Verdict.FAILED.value)
WARNINGS = (Verdict.BIMODAL.value, Verdict.UNRESOLVED.value)
WORST = (*ERRORS, CHANGED, *WARNINGS, Verdict.FASTER.value, Verdict.SAME.value, Verdict.SKIPPED.value)
SHOWN = 10  # GitHub shows at most ten annotations of a kind for a step


def annotations(comparisons: Sequence[Record]) -> list[str]:
    """`::error` for slower and failed cells, `::warning` for changed pixels and open verdicts."""
    errors, warnings = [], []
    for comparison in comparisons:
        name = title(comparison)
        for cell in by_severity(comparison):
            changed = (cell["pixels"] or {}).get("status") == CHANGED
            if cell["verdict"] in ERRORS:
                errors.append(_command("error", name, sentence(cell)))
            elif cell["verdict"] in WARNINGS or changed:
                warnings.append(_command("warning", name, sentence(cell)))
    return errors[:SHOWN] + warnings[:SHOWN]


def _command(kind: str, title: str, message: str) -> str:
    return f"::{kind} title={_escaped(title, ':,')}::{_escaped(message)}"


def _escaped(text: str, also: str = "") -> str:
    for character in "%\r\n" + also:
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def line(comparison: Record) -> str:
    """One line of markdown: the outcome of a comparison."""
    found = counts(comparison)
    mark = "❌" if found["SLOWER"] or found["FAILED"] else "⚠️" if found[CHANGED] or found["UNRESOLVED"] else "✅"
    said = [f"{found[verdict.value]} {verdict.value}" for verdict in Verdict if found[verdict.value]]
    planted = f" **Planted slowdowns: {comparison['planted']}.**" if comparison["planted"] else ""
    return (
        f"{mark} **{title(comparison)}**, threshold {comparison['settings']['threshold']:.1%}:"
        f" {', '.join(said) or 'no cells'}; pixels changed in {found[CHANGED]}.{planted}"
    )


def outputs(comparisons: Sequence[Record]) -> str:
    """What later steps of the job may ask: `verdict` (the worst), `counts` (JSON over all comparisons)."""
    found: Counter[str] = Counter()
    for comparison in comparisons:
        found += counts(comparison)
    worst = next((name for name in WORST if found[name]), Verdict.SKIPPED.value)
    return f"verdict={worst}\ncounts={json.dumps(dict(found), sort_keys=True)}\n"


def publish(comparisons: Sequence[Record], variables: Mapping[str, str] = os.environ) -> None:
    """In Actions, print annotations, show the comment as the job's summary, set outputs; elsewhere do nothing."""
    if variables.get("GITHUB_ACTIONS") == "true":
        print("\n".join(annotations(comparisons)))
    _append(variables.get("GITHUB_STEP_SUMMARY"), comment(comparisons))
    _append(variables.get("GITHUB_OUTPUT"), outputs(comparisons))


def tell(title: str, messages: Sequence[str], variables: Mapping[str, str] = os.environ) -> None:
    """In Actions, an annotation and a line of the job's summary for each message; elsewhere do nothing."""
    if variables.get("GITHUB_ACTIONS") == "true":
        for message in messages[:SHOWN]:
            print(_command("error", title, message))
    _append(variables.get("GITHUB_STEP_SUMMARY"), "".join(f"- {code(message)}\n" for message in messages))


def _append(path: str | None, text: str) -> None:
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)
