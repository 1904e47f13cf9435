"""What `upbench merge` and `upbench fleet` are asked."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from upbench.bench.errors import UsageError
from upbench.bench.gate.request import DuetRequest
from upbench.bench.jobs.request import BenchRequest
from upbench.bench.layers.request import LayersRequest
from upbench.bench.quality.request import QualityRequest
from upbench.bench.requests import Request
from upbench.bench.speed.request import SpeedRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRequest(Request):
    """Result folders of several hosts, to be joined by kind of host."""

    folders: tuple[Path, ...] = ()

    def check(self) -> None:
        """Raise `UsageError` where there is nothing to join."""
        if len({folder.resolve() for folder in self.folders}) < 2:
            raise UsageError("Name at least two result folders to join, such as upbench merge A/ B/ --out DIR.")


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetRequest(Request):
    """One of upbench's requests, run on a Ray cluster at `address`: auto, HOST:PORT or ray://HOST:PORT.

    A node that is not heard of for `silence` seconds is given up; a task may wait `patience` seconds for a node that
    is busy with others' work.
    """

    address: str = "auto"
    silence: float = 60.0
    patience: float = 3600.0
    bench: BenchRequest | None = None
    quality: QualityRequest | None = None
    speed: SpeedRequest | None = None
    layers: LayersRequest | None = None
    duet: DuetRequest | None = None

    def check(self) -> None:
        """Raise `UsageError` where nothing, or more than one thing, is to be run."""
        if len(self._asked()) != 1:
            raise UsageError("A fleet runs one request: bench, quality, speed, layers or duet.")
        if not (self.silence > 0 and self.patience > 0):
            raise UsageError("--silence and --patience take a time above 0.")
        if self.duet and (self.duet.save_baseline or self.duet.against):
            raise UsageError("A fleet compares live sides only; keep a baseline on the machine that it is for.")
        if self.duet and (self.duet.baseline_ref or self.duet.candidate_ref):
            raise UsageError("A fleet compares no commits: the checkout does not travel; run upbench duet beside it.")

    def _asked(self) -> dict[str, Request]:
        fields = ((field.name, getattr(self, field.name)) for field in dataclasses.fields(self))
        return {name: value for name, value in fields if isinstance(value, Request)}

    @property
    def what(self) -> str:
        """The name of the stage that is run."""
        return next(iter(self._asked()))

    @property
    def asked(self) -> Request:
        """What it is asked."""
        return next(iter(self._asked().values()))
