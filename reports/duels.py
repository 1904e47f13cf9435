"""Which pairs of methods decide what to use, and what their duets said (`front.json`): a ratio with its interval."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from upbench.bench.cells import Cell
from upbench.reports.frame import Run
from upbench.reports.survey import main_speed

AXES = ("scale", "workload", "device", "dtype", "memory_format", "mode", "step", "threads")


@dataclass(frozen=True, slots=True, kw_only=True)
class Duel:
    """The time of `candidate` over that of `baseline` on a workload, measured in turn, with its 95 % interval."""

    workload: str
    baseline: str
    candidate: str
    ratio: float
    low: float
    high: float

    @property
    def shared(self) -> bool:
        """Whether neither can be called faster."""
        return self.low <= 1 <= self.high


def measured(run: Run) -> dict[tuple[str, str, str], Duel]:
    """Every duel of a run that has a ratio, by workload, baseline and candidate."""
    found = {}
    for comparison in run.front.get("comparisons", []):
        for cell in comparison["cells"]:
            if cell["ratio"] is not None:
                duel = _duel(cell)
                found[duel.workload, duel.baseline, duel.candidate] = duel
    return found


def _duel(cell: dict[str, Any]) -> Duel:
    baseline, candidate = cell["methods"]
    return Duel(
        workload=Cell.parse(cell["cell"]).workload,
        baseline=baseline,
        candidate=candidate,
        ratio=cell["ratio"],
        low=cell["low"],
        high=cell["high"],
    )


def cell_of(speed: pd.DataFrame, workload: str) -> Cell:
    """The axes that the page speaks of, on a workload; no method."""
    first = main_speed(speed).query("workload == @workload").iloc[0]
    values = {name: first[name] for name in AXES}
    return Cell(method="", **values | {"scale": int(values["scale"]), "threads": int(values["threads"])})
