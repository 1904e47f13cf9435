"""What the version gate is asked: `upbench duet`."""

from dataclasses import dataclass, field
from pathlib import Path

from upbench.bench.adapters import absolute, check_methods, names_of
from upbench.bench.cells import (
    Cell,
    check_axes,
    check_device,
    check_scales,
    plan,
)
from upbench.bench.errors import UsageError
from upbench.bench.gate.sides.side import against, settings_of
from upbench.bench.requests import REPEATS, Request, require_among, require_positive
from upbench.bench.workers.launch import ALLOCATORS, HELD

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
    """Any two sides: environments, settings of one, commits of a checkout, or methods.

    `baseline` and `candidate` are releases of torch, requirements such as `opencv-python-headless==4.12.0.88`, pythons,
    or virtual environments; several candidates are each compared with the baseline. `versus` are two methods (names or
    specs) in one environment; the `_ref`s are commits of the checkout that `method` lies in; the `_set`s are
    `NAME=VALUE` of one side (`sides.side`); what is left out is the same on both, and the environment
    that runs. Or `save_baseline`: the baseline is measured alone and kept in this file; or `against`: candidates are
    compared with such a file.

    `python` and `index` are what environments are made with, `environments` is where they are kept. `plant` are
    `METHOD=FACTOR` of extra work in the candidate, `threshold` is a share (0.03 is 3 %), `precision` another, that each
    interval shall keep to on either side, `budget` and `timeout` are seconds; `edges` compares pixels at the edges of
    the space of shapes.
    """

    baseline: str | None = None
    candidate: tuple[str, ...] = field(default=(), metadata=REPEATS)
    versus: tuple[str, ...] = field(default=(), metadata=REPEATS)
    baseline_ref: str | None = None
    candidate_ref: str | None = None
    baseline_set: tuple[str, ...] = ()
    candidate_set: tuple[str, ...] = ()
    allocator: str = HELD
    candidate_allocator: str | None = None
    python: str | None = None
    index: str | None = None
    save_baseline: Path | None = None
    against: Path | None = None
    plant: tuple[str, ...] = ()
    counter: str | None = None
    edges: bool = True
    methods: tuple[str, ...] | None = None
    method: tuple[str, ...] = ()
    scales: tuple[int, ...] = (2,)
    device: str = "cpu"
    workloads: tuple[str, ...] = ("cifar", "image", "single")
    dtypes: tuple[str, ...] = ("float32",)
    memory_formats: tuple[str, ...] = ("contiguous",)
    modes: tuple[str, ...] = ("eager",)
    passes: tuple[str, ...] = ("forward",)
    threads: tuple[int, ...] = (1,)
    threshold: float = 0.03
    precision: float | None = None
    budget: float = 300.0
    timeout: float = 60.0
    environments: Path = ENVIRONMENTS

    def check(self) -> None:
        """Raise `UsageError` unless the fields make one of the three kinds of comparison."""
        check_methods(self.methods, self.method)
        check_scales(self.scales)
        check_device(self.device)
        check_axes(self)
        require_among("allocator", (self.allocator, self.candidate_allocator or self.allocator), ALLOCATORS)
        settings_of(self.baseline_set), settings_of(self.candidate_set)
        require_among("counter", (self.counter,) if self.counter else (), ("instructions",))
        require_positive(threads=self.threads)
        check_closeness(self.threshold, self.budget, self.timeout)
        if self.precision is not None and not 0 < self.precision < 1:
            raise UsageError(f"precision: {self.precision!r} is no share such as 1.5% or 0.015.")
        self._check_kind()
        self._check_versus()
        self._check_refs()
        for method in self.planted():
            if method not in self.names():
                raise UsageError(f"--plant {method}: that method is not among the cells compared.")

    def _check_kind(self) -> None:
        asked = [bool(self.baseline), bool(self.candidate), bool(self.against)]
        kept = self.save_baseline or self.against
        if kept and self.one_environment:
            raise UsageError("A kept baseline is compared with versions only: leave out what is another on one side.")
        if self.save_baseline:
            if asked != [True, False, False]:
                raise UsageError("--save-baseline takes --baseline, and neither --candidate nor --against.")
        elif asked not in ([True, True, False], [False, True, True]) and not self.one_environment:
            raise UsageError("Give --candidate and either --baseline or --against.")
        if self.plant and self.against:
            raise UsageError("--plant works between two live versions only.")

    @property
    def one_environment(self) -> bool:
        """Whether something else than the environment may differ, so that one of them is enough."""
        return any(
            (
                self.versus,
                self.baseline_ref,
                self.candidate_ref,
                self.baseline_set,
                self.candidate_set,
                self.candidate_allocator,
            )
        )

    def _check_versus(self) -> None:
        if not self.versus:
            return
        if len(self.versus) != 2:
            raise UsageError(f"--versus takes two methods, not {len(self.versus)}.")
        if self.methods or self.method or self.candidate or self.baseline_ref or self.candidate_ref:
            raise UsageError("--versus names both methods: leave out other methods, --candidate and commits.")
        for method in self.versus:
            check_methods(None if ":" in method else (method,), (method,) if ":" in method else ())

    def _check_refs(self) -> None:
        if self.baseline_ref or self.candidate_ref:
            if self.methods or not self.method or not all(".py:" in spec for spec in self.method):
                raise UsageError("Commits are compared by --method FILE.py:FACTORY, a file of their checkout.")
            if len(self.candidate) > 1:
                raise UsageError("Commits are compared in one environment, or in one for each: give one --candidate.")

    def names(self) -> list[str]:
        """The methods compared, by name."""
        if self.versus:
            return [against(*(method.rpartition(":")[2] for method in self.versus))]
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
            memory_formats=self.memory_formats,
            modes=self.modes,
            steps=self.passes,
            threads=self.threads,
        )

    def planted(self) -> dict[str, float]:
        """The factor of extra work in the candidate, by method."""
        found = dict(_planted(text) for text in self.plant)
        if not self.versus:
            return found
        candidate = self.versus[-1].rpartition(":")[2]
        return {self.names()[0] if name == candidate else name: factor for name, factor in found.items()}


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
