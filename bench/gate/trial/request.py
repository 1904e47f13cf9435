"""What the trial of the gate is asked, and the comparisons that this means."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from upbench.bench.cells import check_device
from upbench.bench.errors import UsageError
from upbench.bench.gate.request import DEFAULT_METHODS, ENVIRONMENTS, DuetRequest
from upbench.bench.requests import Request, require_among


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialPart:
    """Runs of one kind: how many, with which `factor` planted, at which threshold, with which further fields."""

    name: str
    runs: int
    factor: float = 1.0
    threshold: float = 0.03
    extra: dict[str, Any] = field(default_factory=dict)

    def fields(self, number: int) -> dict[str, Any]:
        """Of one run's `DuetRequest`; odd runs plant in one half of the methods, even runs in the other."""
        chosen = DEFAULT_METHODS[number % 2 :: 2] if self.factor > 1 else ()
        plant = tuple(f"{method}={self.factor}" for method in chosen)
        return {"threshold": self.threshold, "plant": plant} | self.extra


PARTS = (
    TrialPart(name="same", runs=20),
    TrialPart(name="planted-5", runs=5, factor=1.05),
    TrialPart(name="planted-3", runs=5, factor=1.03, threshold=0.01, extra={"budget": 300.0}),
    TrialPart(
        name="planted-1", runs=3, factor=1.01, threshold=0.005, extra={"budget": 300.0, "workloads": ("single",)}
    ),
    TrialPart(name="train", runs=2, factor=1.05, extra={"budget": 600.0, "passes": ("train",)}),
    TrialPart(name="threads-2", runs=2, factor=1.05, extra={"threads": (2,)}),
    TrialPart(name="channels-last", runs=2, factor=1.05, extra={"budget": 300.0, "memory_formats": ("channels_last",)}),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRequest(Request):
    """Is the gate to be believed? One version against itself, with and without planted slowdowns.

    `version` is a release, a python or a virtual environment; `scale` the share of the runs, `only` some of the parts,
    `kills` how often a run is killed; `also` are folders of other trials, whose runs stand in the table too.
    """

    version: str = "2.15.0"
    scale: float = 1.0
    only: tuple[str, ...] = ()
    device: str = "cpu"
    kills: int = 20
    also: tuple[Path, ...] = ()
    environments: Path = ENVIRONMENTS

    def check(self) -> None:
        """Raise `UsageError` for a part that there is not, or a number that cannot be meant."""
        for folder in self.also:
            if not any(folder.glob("*/trial-run.json")):
                raise UsageError(f"{folder} holds no run of a trial.")
        require_among("part", self.only, tuple(part.name for part in PARTS))
        check_device(self.device)
        if not (0 < self.scale <= 1 and self.kills >= 0):
            raise UsageError("--scale takes a share above 0 and up to 1, --kills a number of at least 0.")

    def parts(self) -> list[TrialPart]:
        """The whole trial, or a share of it, or some of its parts."""
        chosen = [part for part in PARTS if not self.only or part.name in self.only]
        return [replace(part, runs=max(1, round(part.runs * self.scale))) for part in chosen]

    def duet(self, part: TrialPart | None = None, number: int = 1) -> DuetRequest:
        """One run's comparison."""
        same = DuetRequest(
            baseline=self.version,
            candidate=(self.version,),
            environments=self.environments.resolve(),
            device=self.device,
        )
        return same.but(**part.fields(number)) if part else same
