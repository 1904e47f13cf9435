"""Whether methods can be built here: at scale 2, in float32, on the CPU, each behind walls."""

from collections.abc import Sequence
from typing import Any

import torch

from upbench.bench.adapters import Adapter
from upbench.bench.errors import FailedError, SkippedError, UsageError
from upbench.bench.workers.crew import Crew
from upbench.bench.workers.walls import Walls


def tried(adapters: Sequence[Adapter]) -> list[dict[str, Any]]:
    """For each `available`, with the factory's own first line as `summary`, or with the `reason` why it is not."""
    with Crew(torch.device("cpu")) as crew:
        return [found for _, found in crew.each(adapters, _tried)]


def _tried(walls: Walls, adapter: Adapter) -> dict[str, Any]:
    try:
        summary = walls.summary(adapter)
        walls.upsampler(adapter, 2, torch.float32, check=False)
    except (SkippedError, FailedError, UsageError) as reason:
        return {"available": False, "reason": str(reason)}
    return {"available": True, "summary": summary}
