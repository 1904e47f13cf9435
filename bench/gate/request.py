"""What the version gate is asked: `upbench duet` and `upbench bisect`."""

from dataclasses import dataclass, field
from pathlib import Path

from upbench.bench.adapters import absolute, check_methods, names_of
from upbench.bench.cells import DTYPES, Cell, check_device, check_scales, plan, workload
from upbench.bench.errors import UsageError
from upbench.bench.requests import REPEATS, Request, require_among, require_positive

DEFAULT_METHODS = (
    "nearest",
    "nearest-exact",
    "bilinear",
    "bilinear-align-corners",
    "bilinear-antialias",
    "bicubic",
    "bicubic-align-corners",
    "bicubic-antialias",
    "transposed-random",
    "pixel-shuffle",
)
ENVIRONMENTS = Path(".nox")


@dataclass(frozen=True, slots=True, kw_only=True)
class DuetRequest(Request):
    """Two torch versions side by side: releases, pythons, or virtual environments.

    `candidate` may be several, each against `baseline`. Or `save_baseline`: the baseline is measured alone and kept in
    this file; or `against`: candidates are compared with such a file. `plant` are `METHOD=FACTOR` of extra work in the
    candidate, `threshold` is a share (0.03 is 3 %), `budget` and `timeout` are seconds, `environments` is where
    environments are kept.
    """

    baseline: str | None = None
    candidate: tuple[str, ...] = field(default=(), metadata=REPEATS)
    save_baseline: Path | None = None
    against: Path | None = None
    plant: tuple[str, ...] = ()
    counter: str | None = None
    methods: tuple[str, ...] | None = None
    method: tuple[str, ...] = ()
    scales: tuple[int, ...] = (2,)
    device: str = "cpu"
    workloads: tuple[str, ...] = ("cifar", "image", "single")
    dtypes: tuple[str, ...] = ("float32",)
    threads: int = 1
    threshold: float = 0.03
    budget: float = 160.0
    timeout: float = 60.0
    environments: Path = ENVIRONMENTS

    def check(self) -> None:
        """Raise `UsageError` unless the fields make one of the three kinds of comparison."""
        check_methods(self.methods, self.method)
        check_scales(self.scales)
        check_device(self.device)
        for name in self.workloads:
            workload(name)
        require_among("dtype", self.dtypes, DTYPES)
        require_among("counter", (self.counter,) if self.counter else (), ("instructions",))
        require_positive(threads=self.threads)
        check_closeness(self.threshold, self.budget, self.timeout)
        self._check_kind()
        for method in self.planted():
            if method not in self.names():
                raise UsageError(f"--plant {method}: that method is not among the cells compared.")

    def _check_kind(self) -> None:
        asked = [bool(self.baseline), bool(self.candidate), bool(self.against)]
        if self.save_baseline:
            if asked != [True, False, False]:
                raise UsageError("--save-baseline takes --baseline, and neither --candidate nor --against.")
        elif asked not in ([True, True, False], [False, True, True]):
            raise UsageError("Give --candidate and either --baseline or --against.")
        if self.plant and not self.baseline:
            raise UsageError("--plant works between two live versions only.")

    def names(self) -> list[str]:
        """The methods compared, by name."""
        named = self.methods
        if named is None and not self.method:
            named = DEFAULT_METHODS
        return names_of(named, self.method)

    def sources(self) -> dict[str, str]:
        """For each method what a worker finds it by: its installed name, or its spec."""
        own = {spec.rpartition(":")[2]: absolute(spec) for spec in self.method}
        return {name: own.get(name, name) for name in self.names()}

    def cells(self) -> list[Cell]:
        """The cells to compare."""
        return plan(
            methods=self.names(),
            scales=self.scales,
            workloads=self.workloads,
            devices=[self.device],
            dtypes=self.dtypes,
            threads=[self.threads],
        )

    def planted(self) -> dict[str, float]:
        """The factor of extra work in the candidate, by method."""
        return dict(_planted(text) for text in self.plant)


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


def check_closeness(threshold: float, budget: float, timeout: float) -> None:
    """Raise `UsageError` for a threshold that is no share, or a time that is none."""
    if not 0 < threshold < 1:
        raise UsageError(f"threshold: {threshold!r} is no share such as 3% or 0.03.")
    if not (budget > 0 and timeout > 0):
        raise UsageError("budget and timeout are times above 0, in seconds.")


def _planted(text: str) -> tuple[str, float]:
    """`bicubic=1.05` as the method and its factor."""
    method, _, factor = text.partition("=")
    try:
        value = float(factor)
    except ValueError:
        value = 0.0
    if not method or not 1 < value <= 10:
        raise UsageError(f"{text!r} is no METHOD=FACTOR with a factor above 1, up to 10.")
    return method, value
