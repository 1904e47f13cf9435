"""What `upbench layers` is asked."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from upbench.bench.adapters import absolute
from upbench.bench.cells import check_device
from upbench.bench.errors import UsageError
from upbench.bench.layers import contract
from upbench.bench.requests import Request, require_among, require_positive
from upbench.datasets.names import DATASETS

TASKS = ("super-resolution", "autoencoder")
FAIRNESS = ("drop-in", "matched-macs", "matched-parameters")
INITIALISATIONS = ("equal", "default")
KEYS = ("layer", "task", "fairness", "initialisation", "rate", "seed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One training: the axes of a row of `layers.csv`."""

    layer: str
    task: str
    fairness: str
    initialisation: str
    rate: float
    seed: int

    def axes(self) -> dict[str, Any]:
        """The row's first columns, with the layer under its short name."""
        return asdict(self) | {"layer": contract.name_of(self.layer)}


@dataclass(frozen=True, slots=True, kw_only=True)
class LayersRequest(Request):
    """The same small network trained with each upsampling layer, over seeds.

    `layers` are installed names (`None`: all, or only `layer` where some are given), `layer` specs of one's own. The
    first of `initialisations` and of `rates` is the table's; the others are trained by the first of `fairness` on the
    first `sensitivity_seeds` seeds. `steps` and `width` are `None` for 300 and 16, on
    a GPU 3,000 and 64. `budget` is in seconds, `None` for no end; `time_limit` is for one training.
    """

    layers: tuple[str, ...] | None = None
    layer: tuple[str, ...] = ()
    tasks: tuple[str, ...] = TASKS
    fairness: tuple[str, ...] = FAIRNESS
    initialisations: tuple[str, ...] = INITIALISATIONS
    rates: tuple[float, ...] = (2e-3, 5e-4, 8e-3)
    seeds: int = 5
    sensitivity_seeds: int = 2
    steps: int | None = None
    width: int | None = None
    batch: int = 16
    dataset: str = "auto"
    data: Path | None = None
    device: str = "cpu"
    jobs: int = 2
    budget: float | None = None
    time_limit: float = 600.0

    def check(self) -> None:
        """Raise `UsageError` for a name that does not exist or a number that cannot be meant."""
        contract.check((*(self.layers or ()), *self.layer))
        check_device(self.device)
        require_among("task", self.tasks, TASKS)
        require_among("fairness", self.fairness, FAIRNESS)
        require_among("initialisation", self.initialisations, INITIALISATIONS)
        require_positive(seeds=self.seeds, steps=self.steps, width=self.width, batch=self.batch, jobs=self.jobs)
        if self.dataset not in DATASETS[:3]:
            raise UsageError(f"There is no dataset {self.dataset!r} to train on; choose {', '.join(DATASETS[:3])}.")
        if not (self.tasks and self.fairness and self.initialisations and self.rates) or min(self.rates) <= 0:
            raise UsageError("Give at least one task, fairness, initialisation, and learning rate above 0.")

    @property
    def every_layer(self) -> tuple[str, ...]:
        """The layers to train, in order."""
        named = self.layers if self.layers is not None else () if self.layer else tuple(contract.installed())
        return tuple(dict.fromkeys((*named, *map(absolute, self.layer))))

    @property
    def actual_steps(self) -> int:
        """Steps of a training."""
        return self.steps or (300 if self.device == "cpu" else 3000)

    @property
    def actual_width(self) -> int:
        """Channels of the layer."""
        return self.width or (16 if self.device == "cpu" else 64)

    def trials(self) -> list[Trial]:
        """Every training, in the order of work: seed by seed what the tables need, then the sensitivities."""
        usual, rate, first = self.initialisations[0], self.rates[0], self.fairness[0]
        tables = [(fairness, usual, rate) for fairness in self.fairness]
        others = [(first, initialisation, rate) for initialisation in self.initialisations[1:]]
        others += [(first, usual, other) for other in self.rates[1:]]
        found = list(self._of(tables, self.seeds))
        for setting in others:
            found += self._of([setting], min(self.seeds, self.sensitivity_seeds))
        return list(dict.fromkeys(found))

    def _of(self, settings: list[tuple[str, str, float]], seeds: int) -> Iterator[Trial]:
        """Of equal cost with itself, the reference is trained drop-in only."""
        for seed in range(seeds):
            for fairness, initialisation, rate in settings:
                for task in self.tasks:
                    for layer in self.every_layer:
                        own = "drop-in" if layer == contract.REFERENCE else fairness
                        yield Trial(
                            layer=layer, task=task, fairness=own, initialisation=initialisation, rate=rate, seed=seed
                        )
