"""What every section is given: the run, its main setting as images, and the words for its workloads."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from upbench.bench.cells import WORKLOADS, workload
from upbench.bench.errors import UsageError
from upbench.bench.grades import grade
from upbench.reports.duels import Duel, measured
from upbench.reports.frame import Run
from upbench.reports.survey import Survey, survey

FIRST = "image"  # the workload that most readers have: one picture


@dataclass(frozen=True, kw_only=True)
class Report:
    """A run to report on; `html` says whether an HTML edition lies beside the page."""

    run: Run
    html: bool = False

    @cached_property
    def survey(self) -> Survey:
        """The main setting."""
        return survey(self.run)

    @cached_property
    def duels(self) -> dict[tuple[str, str, str], Duel]:
        """Methods that were measured in turn, by workload, baseline and candidate."""
        return measured(self.run)

    @cached_property
    def grades(self) -> dict[str, tuple[str, str]]:
        """How far each cell's time may be trusted, A to D, and why, by the cell's name."""
        return {
            str(row["cell"]): grade(
                self.run.raw[str(row["cell"])], _known(row.get("pressure")), _known(row.get("throttled"))
            )
            for row in self.run.speed.to_dict("records")
            if str(row.get("cell")) in self.run.raw
        }

    @cached_property
    def workloads(self) -> list[str]:
        """The main setting's workloads, one picture first."""
        return sorted(self.survey.workloads, key=lambda name: name != FIRST)

    @cached_property
    def fronts(self) -> list[str]:
        """The workloads on which something has both a quality and a time."""
        return [name for name in self.workloads if self.survey.rated(name)]

    def shape(self, name: str) -> str:
        """A workload's input: 1×3×256×256."""
        try:
            return "×".join(map(str, workload(name).shape))
        except UsageError:
            return name

    def title(self, name: str) -> str:
        """A workload in words: one picture, 1×3×256×256."""
        known = WORKLOADS.get(name)
        return f"{known.stands_for}, {self.shape(name)}" if known else self.shape(name)

    def short(self, name: str) -> str:
        """A workload in few words."""
        return WORKLOADS[name].stands_for.removeprefix("a ") if name in WORKLOADS else self.shape(name)

    @cached_property
    def versions_only(self) -> bool:
        """Whether the folder holds comparisons of torch versions, a series or an atlas of them, and nothing else."""
        run = self.run
        others = (run.quality, run.cells, run.sweep)
        return (
            bool(run.versions or run.watch or run.atlas) and not run.selfcheck and all(frame.empty for frame in others)
        )

    @cached_property
    def host(self) -> str:
        """Processor, or GPU, and torch's version."""
        host = self.run.host or self.run.speed_host
        if not host:
            return ""
        gpu = host.get("gpu")
        device = gpu["name"] if gpu and self.survey.device.startswith("cuda") else host["cpu"]
        return f"{device}, torch {host['packages']['torch']}, {_day(host['utc'])}"


def _day(utc: str) -> str:
    try:
        return f"{datetime.fromisoformat(utc):%d %b %Y}".lstrip("0")
    except ValueError:
        return utc


def _known(value: Any) -> Any:
    """A cell's own record; None where its file had none."""
    return value if isinstance(value, dict) or (isinstance(value, str) and value) else None
