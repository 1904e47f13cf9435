"""Requests made of requests: the main job and the GPU's."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, TypeVar

from upbench.bench.adapters import discover
from upbench.bench.diagnosis.request import DiagnosisRequest
from upbench.bench.errors import UsageError
from upbench.bench.gate.request import DuetRequest
from upbench.bench.quality.request import QualityRequest
from upbench.bench.requests import Request
from upbench.bench.speed.request import SpeedRequest

# Fewer cells than `upbench duet` compares by itself, so that a short budget holds enough pairs of processes.
VERSION_METHODS = ("nearest", "bilinear", "bicubic")
VERSION_WORKLOADS = ("cifar", "image")
VERSION_BUDGET = 45.0

Part = TypeVar("Part", bound=Request)


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchRequest(Request):
    """The main job: quality, diagnosis, speed, torch versions where `versions` asks for them, and the report.

    `front_budget` are the seconds for duets of the methods that decide what to use; 0 leaves them out. With
    `report_only` a slower torch is reported and is no regression.
    """

    quality: QualityRequest = field(default_factory=QualityRequest)
    diagnosis: DiagnosisRequest = field(default_factory=DiagnosisRequest)
    speed: SpeedRequest = field(default_factory=SpeedRequest)
    front_budget: float = 40.0
    versions: DuetRequest | None = None
    report_only: bool = False

    @classmethod
    def of(
        cls, *, torch: tuple[str, ...] = (), report_only: bool = False, front_budget: float = 40.0, **given: Any
    ) -> "BenchRequest":
        """The main job from the stages' own fields, each of which goes to every stage that has it.

        `torch` are versions, the baseline first; `threshold` and `budget` are the comparison's. Raises `UsageError`.
        """
        kinds = (QualityRequest, DiagnosisRequest, SpeedRequest)
        known = {each.name for kind in kinds for each in dataclasses.fields(kind)} | {"threshold", "budget"}
        if unknown := set(given) - known:
            raise UsageError(f"The main job has no {min(unknown)!r}.")
        quality = part(QualityRequest, given)
        return cls(
            quality=quality,
            diagnosis=part(DiagnosisRequest, given),
            speed=part(SpeedRequest, given),
            versions=_versions(tuple(torch), quality, given) if torch else None,
            report_only=report_only,
            front_budget=front_budget,
        )


def part(kind: type[Part], given: dict[str, Any]) -> Part:
    """The request of one stage, from the fields that it has."""
    return kind(**{each.name: given[each.name] for each in dataclasses.fields(kind) if each.name in given})


def _versions(torch: tuple[str, ...], quality: QualityRequest, given: dict[str, Any]) -> DuetRequest:
    """A short look at the first version against the others, on the main job's methods or on three that all know."""
    if len(torch) < 2:
        raise UsageError("--torch takes at least two versions: the baseline first.")
    named = quality.methods is not None or bool(quality.method)
    return DuetRequest(
        baseline=torch[0],
        candidate=torch[1:],
        methods=quality.methods if named else VERSION_METHODS,
        method=quality.method,
        scales=quality.scales[:1],
        device=quality.device,
        workloads=VERSION_WORKLOADS,
        **{"budget": VERSION_BUDGET} | {name: given[name] for name in ("threshold", "budget") if name in given},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuRequest(Request):
    """Everything there is to measure on a GPU, inside so many minutes, and the report."""

    device: str = "cuda"
    minutes: float = 9.5
    methods: tuple[str, ...] | None = None
    method: tuple[str, ...] = ()

    def check(self) -> None:
        """Raise `UsageError` for a name that does not exist or a time that is none."""
        self.quality()
        if not self.minutes > 0:
            raise UsageError("--minutes takes a time above 0.")

    def names(self) -> tuple[str, ...]:
        """All methods that work on tensors; beside methods of the user's own, the ones of interest."""
        if self.methods is not None:
            return self.methods
        if self.method:
            return CHOSEN
        return tuple(name for name, adapter in discover().items() if adapter.family not in ARRAYS)

    def chosen(self) -> tuple[str, ...]:
        """The methods of interest among those asked for."""
        return tuple(name for name in CHOSEN if name in self.names()) or self.names()

    def differentiated(self) -> tuple[str, ...]:
        """The chosen methods, and every mode of `nn.Upsample`: the backward passes of some are not deterministic."""
        families = {name: adapter.family for name, adapter in discover().items()}
        modes = (name for name in self.names() if families.get(name) == "interpolate")
        return tuple(dict.fromkeys((*self.chosen(), *modes)))

    def quality(self) -> QualityRequest:
        """Quality on the embedded photos: nothing has to be downloaded."""
        return QualityRequest(methods=self.names(), method=self.method, device=self.device, dataset="photos")

    def speed(self, **changed: Any) -> SpeedRequest:
        """A speed request on this device, with other values in some fields."""
        fields = {"methods": self.names(), "method": self.method, "device": self.device, "workloads": WORKLOADS}
        return SpeedRequest(**(fields | changed))

    def speeds(self) -> list[SpeedRequest]:
        """Every method in float32 first; then the other axes, one at a time, on the methods of interest."""
        chosen = {"methods": self.chosen(), "workloads": ("big", "big-feature")}
        return [
            self.speed(),
            self.speed(**chosen, dtypes=("float16", "bfloat16", "uint8")),
            self.speed(**chosen, memory_formats=("channels_last",)),
            self.speed(**chosen | {"methods": self.differentiated()}, passes=("train",)),
            self.speed(**chosen, modes=("compile",)),
        ]

    def sweep(self) -> SpeedRequest:
        """The chosen methods on growing batches of one picture's and one feature map's size."""
        return self.speed(methods=self.chosen(), workloads=("image", "feature"), sweep=())


WORKLOADS = ("big", "big-feature", "image", "cifar", "feature", "single")
CHOSEN = (
    *("nearest", "bilinear", "bicubic", "polyphase-bilinear", "polyphase-bicubic", "polyphase-lanczos3"),
    *("triton-polyphase-bilinear", "triton-polyphase-bicubic", "triton-polyphase-lanczos3"),
)
ARRAYS = {"pillow", "opencv", "skimage", "scipy"}  # families of methods that never touch the GPU
