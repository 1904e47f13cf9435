"""What `upbench train` is asked."""

from dataclasses import dataclass, field
from pathlib import Path

from upbench.bench.adapters import discover
from upbench.bench.errors import UsageError
from upbench.bench.requests import REPEATS, Request, require_among, require_positive

SCALES = (2, 4)


def trainable() -> tuple[str, ...]:
    """The methods that have weights."""
    found = [name for name, adapter in discover().items() if adapter.module in MODULES]
    return tuple(sorted(found, key=lambda name: name == "wiener"))


MODULES = ("upbench.methods.learned", "upbench.methods.wiener")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainRequest(Request):
    """Weights of the learned methods, made again from a seed.

    `steps` are those of each cycle of training, or one number for all (default: each method's own); `data` is the
    folder of CIFAR-10's batches; each number of `threads` rounds differently.
    """

    methods: tuple[str, ...] = field(default_factory=trainable)
    scales: tuple[int, ...] = SCALES
    data: Path | None = None
    seed: int = 0
    steps: tuple[int, ...] = field(default=(), metadata=REPEATS)
    threads: int = 1

    def check(self) -> None:
        """Raise `UsageError` for a method that has no weights, or a number that cannot be meant."""
        require_among("learned method", self.methods, trainable())
        if set(self.scales) - set(SCALES):
            raise UsageError(
                f"scales: weights are trained for {' and '.join(map(str, SCALES))}, not for {self.scales}."
            )
        require_positive(steps=self.steps, threads=self.threads)
