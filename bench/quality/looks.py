"""One more look at each method while it is at hand: the first images, for groups of equal pixels and for samples."""

import threading
from collections.abc import Set
from pathlib import Path

import torch
from torch import Tensor

from upbench.bench.adapters import Adapter
from upbench.bench.quality import groups, samples
from upbench.bench.quality.pairs import KeptPairs
from upbench.bench.quality.request import QualityRequest
from upbench.bench.stage import Row
from upbench.bench.workers.crew import Job, outputs
from upbench.bench.workers.walls import Walls
from upbench.datasets.errors import DataError


class Looks:
    """What each method made of the first images, at each scale at which it has a figure."""

    def __init__(self, request: QualityRequest, pairs: KeptPairs, device: torch.device) -> None:
        """Nothing is asked yet."""
        self._request, self._pairs, self._device = request, pairs, device
        self._preparing = threading.Lock()
        self._probes: dict[int, Job] = {}
        self._samples: samples.Samples | None = None
        self._probed: dict[int, dict[str, Tensor]] = {}
        self._sampled: dict[str, list[Tensor | None]] = {}

    def take(self, walls: Walls, adapter: Adapter, scales: Set[int]) -> None:
        """Ask a method that has a figure at these scales; an output that it does not give is left out."""
        with self._preparing:
            self._prepare()
        able = [scale for scale in self._probes if scale in scales]
        found = outputs(walls, adapter, [self._probes[scale] for scale in able])
        for scale, output in zip(able, found, strict=True):
            if output is not None:
                self._probed.setdefault(scale, {})[adapter.name] = output
        if self._samples and self._samples.scale in scales:
            self._sampled[adapter.name] = outputs(walls, adapter, self._samples.jobs)

    def _prepare(self) -> None:
        """Choose the images, once: probes at every scale that the data allows, samples at the first of them."""
        if self._probes:
            return
        for scale in self._request.scales:
            try:
                pairs = [next(self._pairs.of(degradation, scale)) for degradation in self._request.degradations]
            except DataError:  # its rows say so
                continue
            low = torch.cat([groups.probes(pair.low, scale) for pair in pairs]).to(self._device)
            self._probes[scale] = Job(low=low, scale=scale, keep=lambda high: high.clamp(0, 1))
            self._samples = self._samples or samples.Samples(pairs[0], scale)

    def finish(self, rows: list[Row], adapters: list[Adapter], out: Path) -> None:
        """Set the rows' `pixels`: the group of equal pixels. Write `samples.npz`, if there was anything to see."""
        for scale, probed in self._probed.items():
            pixels = groups.group(adapters, probed)
            for row in rows:
                if row["scale"] == scale:
                    row["pixels"] = pixels.get(row["method"], "")
        if self._samples:
            own = {adapter.name: self._sampled[adapter.name] for adapter in adapters if adapter.name in self._sampled}
            samples.write(out / "samples.npz", self._samples.arrays(own))
