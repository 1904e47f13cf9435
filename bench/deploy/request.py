"""What `upbench deploy` is asked, and the roads there are. Nothing here imports torch."""

from dataclasses import dataclass

from upbench.bench.adapters import check_methods
from upbench.bench.cells import check_scales
from upbench.bench.errors import UsageError
from upbench.bench.requests import Request, require_among, require_positive

# In the order in which they are taken: what most people ask first, and what takes longest last. The roads of a group
# share a worker process; in the first of each nothing was called before, so that an export there is a cold one.
GROUPS = {
    "onnx": ("onnx-dynamic", "onnx", "openvino"),
    "export": ("export-dynamic", "export", "export-strict-dynamic", "export-strict", "export-warm"),
    "eager": ("autocast-bfloat16", "autocast-float16", "channels-last", "deterministic"),
    "gradients": ("gradcheck", "gradgradcheck", "forward-mode", "vmap"),
    "shapes": ("shapes-onnx",),
    "compile": ("compile", "compile-dynamic", "shapes-compile"),
}
ROADS = tuple(road for roads in GROUPS.values() for road in roads)
COMPILED = GROUPS["compile"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployRequest(Request):
    """Methods by roads: does the method get there, with the same pixels, how fast.

    `methods` and `method` as in `QualityRequest`; `jobs` worker processes at a time; a road has `timeout` seconds and
    `memory` GiB; after `minutes` no further road is begun (`None`: all are), and those left are rows that say so.
    """

    methods: tuple[str, ...] | None = None
    method: tuple[str, ...] = ()
    scales: tuple[int, ...] = (2,)
    roads: tuple[str, ...] = ROADS
    jobs: int = 1
    timeout: float = 240.0
    memory: float = 8.0
    minutes: float | None = None

    def check(self) -> None:
        """Raise `UsageError` for a name that does not exist or a number that cannot be meant."""
        check_methods(self.methods, self.method)
        check_scales(self.scales)
        require_among("road", self.roads, ROADS)
        require_positive(jobs=self.jobs)
        for name, limit in (("timeout", self.timeout), ("memory", self.memory), ("minutes", self.minutes)):
            if limit is not None and limit <= 0:
                raise UsageError(f"{name}: {limit:g} is no limit above 0.")
