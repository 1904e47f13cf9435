"""The trial's table: false alarms, slowdowns found, what stayed open; every share with its bound."""

from collections.abc import Sequence
from typing import Any

from upbench.bench.gate.trial.request import TrialPart

Record = dict[str, Any]

HEAD = "| part | runs | cells | false alarms | found | UNRESOLVED | BIMODAL | seconds a run |"


def lines(part: TrialPart, runs: list[dict[str, Any]]) -> list[str]:
    """One row for the cells left alone, and one for the planted ones; bounds are one-sided, of 95 %."""
    if not runs:
        return []
    cells = [cell for run in runs for cell in run["cells"] if cell["verdict"] not in ("SKIPPED", "FAILED")]
    alone = [cell for cell in cells if cell["planted"] == 1]
    planted = [cell for cell in cells if cell["planted"] != 1]
    alarms = sum(cell["verdict"] in ("SLOWER", "FASTER") for cell in alone)
    mean = sum(run["seconds"] for run in runs) / len(runs)
    longest = max(run["seconds"] for run in runs)
    asked = f"threshold {part.threshold:.3g}{_other_than_default(part)}"
    rows = [
        f"| {part.name}: unchanged, {asked} | {len(runs)} | {len(alone)}"
        f" | {alarms} (at most {at_most(alarms, len(alone)):.2%}) | | {_open(alone)}"
        f" | {mean:.0f} (up to {longest:.0f}) |"
    ]
    if planted:
        fair = [cell for cell in planted if cell["verdict"] != "BIMODAL"]
        found = sum(cell["verdict"] == "SLOWER" for cell in fair)
        rows.append(
            f"| {part.name}: planted x{part.factor:g} | {len(runs)} | {len(planted)} | | {found} of {len(fair)}"
            f" (at least {at_least(found, len(fair)):.1%}) | {_open(planted)} | |"
        )
    return rows


def _other_than_default(part: TrialPart) -> str:
    """What the part's runs ask that a comparison does not ask by itself."""
    values = (value if isinstance(value, tuple) else (value,) for value in part.extra.values())
    return "".join(f", {name} {' '.join(map(str, value))}" for name, value in zip(part.extra, values, strict=True))


def _open(cells: list[dict[str, Any]]) -> str:
    """UNRESOLVED and BIMODAL, each as a number and a share."""
    numbers = (sum(cell["verdict"] == verdict for cell in cells) for verdict in ("UNRESOLVED", "BIMODAL"))
    return " | ".join(f"{number} ({number / max(1, len(cells)):.1%})" for number in numbers)


def at_most(count: int, whole: int) -> float:
    """Upper 95 % bound of a share (Clopper & Pearson, "The use of confidence or fiducial limits", Biometrika 1934)."""
    from scipy import stats

    return 1.0 if count >= whole else float(stats.beta.ppf(0.95, count + 1, whole - count))


def at_least(count: int, whole: int) -> float:
    """Lower 95 % bound of a share."""
    return 1 - at_most(whole - count, whole)


def table(about: str, parts: Sequence[TrialPart], runs: Sequence[Record], kills: Sequence[Record]) -> str:
    """The whole table as markdown, under a line about the machine."""
    rows = [HEAD, "|---|---:|---:|---:|---:|---:|---:|---:|"]
    for part in parts:
        rows += lines(part, [run for run in runs if run["part"] == part.name])
    bad = [kill for kill in kills if kill["left_alive"] or kill["unreadable"] or kill["lost_rows"]]
    if kills:
        rows.append(f"| killed at a random moment | {len(kills)} | | {len(bad)} with a fault | | | | |")
    return "\n".join([f"{about}:", "", *rows])
