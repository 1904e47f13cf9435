"""The records: what is asked (`Cell`), on which input (`Workload`), and the expansion of axes into cells."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

from upbench.bench.errors import UsageError
from upbench.bench.requests import require_among

DTYPES = ("float32", "float16", "bfloat16", "uint8", "float64")
MEMORY_FORMATS = ("contiguous", "channels_last")
MODES = ("eager", "compile")
STEPS = ("forward", "train")

LARGEST_SCALE = 16  # beyond it, memory is what would be measured
OTHER_DEVICES = ("mps", "xpu", "meta", "hpu", "xla", "mtia")  # torch has them, upbench has no clock for them

PLAIN = ("nearest", "bilinear", "bicubic")  # the methods that everybody knows: groups are named after them
COPY = "copy"  # the yardstick: a plain copy of the output
WRITE = "write"  # another: the output written, and nothing read
BEYOND_CACHE = "beyond-cache"  # the workload on which both tell the bandwidth of memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A low-resolution input: its `(N, C, H, W)` shape and what it stands for."""

    name: str
    shape: tuple[int, int, int, int]
    stands_for: str = "a shape of your own"

    def output_shape(self, scale: int) -> tuple[int, int, int, int]:
        """The `(N, C, scale*H, scale*W)` shape of the high-resolution output."""
        n, c, h, w = self.shape
        return n, c, scale * h, scale * w

    def megapixels(self, scale: int) -> float:
        """Output pixels (N * scale*H * scale*W, channels not counted) in millions."""
        n, _, h, w = self.output_shape(scale)
        return n * h * w / 1e6


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload(name="cifar", shape=(256, 3, 16, 16), stands_for="a batch of tiny images"),
        Workload(name="image", shape=(1, 3, 256, 256), stands_for="one picture"),
        Workload(name="feature", shape=(8, 64, 64, 64), stands_for="a decoder's feature map"),
        Workload(name="single", shape=(1, 3, 16, 16), stands_for="latency of one tiny image"),
        Workload(name="big", shape=(64, 3, 512, 512), stands_for="pictures that fill a GPU"),
        Workload(name="big-feature", shape=(32, 64, 128, 128), stands_for="feature maps that fill a GPU"),
        Workload(name=BEYOND_CACHE, shape=(1, 1, 4096, 4096), stands_for="the yardsticks of memory bandwidth"),
    )
}


def workload(name: str) -> Workload:
    """Look up a workload by its name, or read a shape such as `4x3x64x64`.

    Raises `UsageError` when it is neither.
    """
    if name in WORKLOADS:
        return WORKLOADS[name]
    if re.fullmatch(r"[1-9]\d{0,5}(x[1-9]\d{0,5}){3}", name):
        n, c, h, w = (int(side) for side in name.split("x"))
        return Workload(name=name, shape=(n, c, h, w))
    raise UsageError(f"There is no workload {name!r}; choose from {', '.join(WORKLOADS)} or give NxCxHxW.")


def check_scales(scales: Sequence[int]) -> None:
    """Raise `UsageError` for a scale factor that is not a whole number from 1 to 16."""
    for scale in scales:
        if scale < 1:
            raise UsageError(f"scales: {str(scale)!r} is no whole number of at least 1.")
        if scale > LARGEST_SCALE:
            raise UsageError(f"scales: {scale} is too large a scale factor; {LARGEST_SCALE} is the largest.")


class Axes(Protocol):
    """What requests that mean cells have in common."""

    @property
    def workloads(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def dtypes(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def memory_formats(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def modes(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def passes(self) -> tuple[str, ...]: ...  # noqa: D102


def check_axes(asked: Axes) -> None:
    """Raise `UsageError` for a workload, dtype, memory format, mode or pass that there is not."""
    for name in asked.workloads:
        workload(name)
    require_among("dtype", asked.dtypes, DTYPES)
    require_among("memory format", asked.memory_formats, MEMORY_FORMATS)
    require_among("mode", asked.modes, MODES)
    require_among("pass", asked.passes, STEPS)


def check_device(name: str) -> None:
    """Raise `UsageError` for a device that upbench cannot measure on; whether it is there, torch must say."""
    kind = name.partition(":")[0]
    if kind in OTHER_DEVICES:
        raise UsageError(f"upbench measures on cpu and cuda, not on {kind}.")
    if not re.fullmatch(r"cpu|cuda(:\d{1,3})?", name):
        raise UsageError(f"There is no device {name!r}; choose cpu, cuda or cuda:N.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One thing to measure. Every field is an axis; `name` writes them all, `Cell.parse` reads them back."""

    method: str
    scale: int
    workload: str
    device: str = "cpu"
    dtype: str = "float32"
    memory_format: str = "contiguous"
    mode: str = "eager"
    step: str = "forward"
    threads: int = 1

    @property
    def name(self) -> str:
        """For example `bicubic/x2/image/cpu/float32/contiguous/eager/forward/1t`."""
        values = asdict(self) | {"scale": f"x{self.scale}", "threads": f"{self.threads}t"}
        return "/".join(values.values())

    @classmethod
    def parse(cls, name: str) -> "Cell":
        """Read `Cell.name`; trailing axes may be left out and take their defaults.

        Raises `UsageError` for anything else.
        """
        parts = name.split("/")
        if not 3 <= len(parts) <= len(cls.__dataclass_fields__) or not re.fullmatch(r"x[1-9]\d*", parts[1]):
            raise UsageError(f"{name!r} names no cell; write it as bicubic/x2/image/cpu/float32.")
        fields: dict[str, str] = dict(zip(cls.__dataclass_fields__, parts, strict=False))
        threads = fields.pop("threads", "1t")
        if not re.fullmatch(r"[1-9]\d*t", threads):
            raise UsageError(f"{name!r} names no cell: its last part is a thread count such as 1t.")
        return cls(scale=int(fields.pop("scale")[1:]), threads=int(threads[:-1]), **fields)


def plan(
    *,
    methods: Sequence[str],
    scales: Sequence[int],
    workloads: Sequence[str],
    devices: Sequence[str] = ("cpu",),
    dtypes: Sequence[str] = ("float32",),
    memory_formats: Sequence[str] = ("contiguous",),
    modes: Sequence[str] = ("eager",),
    steps: Sequence[str] = ("forward",),
    threads: Sequence[int] = (1,),
) -> list[Cell]:
    """Every combination of the axes, methods varying fastest so that neighbours in time are comparable."""
    slow_axes = itertools.product(workloads, scales, devices, dtypes, memory_formats, modes, steps, threads)
    return [
        Cell(
            method=method,
            scale=scale,
            workload=shape,
            device=device,
            dtype=dtype,
            memory_format=memory_format,
            mode=mode,
            step=step,
            threads=count,
        )
        for shape, scale, device, dtype, memory_format, mode, step, count in slow_axes
        for method in methods
    ]
