"""What is asked about many releases: `upbench bisect` and `upbench atlas`."""

from dataclasses import dataclass
from pathlib import Path

from upbench.bench.adapters import check_methods
from upbench.bench.cells import Cell
from upbench.bench.errors import UsageError
from upbench.bench.gate.request import ENVIRONMENTS, DuetRequest, check_closeness
from upbench.bench.requests import Request

FEATURE_MAP = "1x64x64x64"  # a decoder's, one sample: eight of them would take most of the time of all cells


@dataclass(frozen=True, slots=True, kw_only=True)
class BisectRequest(Request):
    """Which release between `good` and `bad` changed the time or the pixels of `cell`?

    `method` is the spec of a method that is not installed; `releases` are those between (default: each minor release).
    """

    cell: str
    good: str
    bad: str
    method: str | None = None
    releases: tuple[str, ...] = ()
    threshold: float = 0.03
    budget: float = 160.0
    timeout: float = 60.0
    environments: Path = ENVIRONMENTS

    def check(self) -> None:
        """Raise `UsageError` for a cell or a method that does not exist."""
        cell = Cell.parse(self.cell)
        check_methods(None if self.method else (cell.method,), (self.method,) if self.method else ())
        check_closeness(self.threshold, self.budget, self.timeout)


@dataclass(frozen=True, slots=True, kw_only=True)
class AtlasRequest(Request):
    """Each release of torch against the next: time, pixels and memory of the gate's default methods.

    `releases` come in order (default: the first of each minor version from 2.0 to the one that runs here). `budget`
    are seconds for each two neighbours; environments that the atlas makes are removed once they are no longer needed,
    unless `keep_environments`; the rest is as in `DuetRequest`.
    """

    releases: tuple[str, ...] = ()
    methods: tuple[str, ...] | None = None
    workloads: tuple[str, ...] = ("cifar", "image", FEATURE_MAP, "single")
    passes: tuple[str, ...] = ("forward", "train")
    scales: tuple[int, ...] = (2,)
    dtypes: tuple[str, ...] = ("float32",)
    threads: tuple[int, ...] = (1,)
    python: str | None = None
    edges: bool = True
    threshold: float = 0.03
    budget: float = 160.0
    timeout: float = 60.0
    environments: Path = ENVIRONMENTS
    keep_environments: bool = False

    def check(self) -> None:
        """Raise `UsageError` for fewer than two releases, or for cells that do not exist."""
        if len(self.releases) == 1:
            raise UsageError("An atlas takes at least two releases, in order.")
        self.duet("2.0.1", "2.1.0")

    def duet(self, baseline: str, candidate: str) -> DuetRequest:
        """The comparison of two neighbours."""
        return DuetRequest(
            baseline=baseline,
            candidate=(candidate,),
            methods=self.methods,
            workloads=self.workloads,
            passes=self.passes,
            scales=self.scales,
            dtypes=self.dtypes,
            threads=self.threads,
            python=self.python,
            edges=self.edges,
            threshold=self.threshold,
            budget=self.budget,
            timeout=self.timeout,
            environments=self.environments,
        )
