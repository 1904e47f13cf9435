"""Whether a method can be built here: at scale 2, in float32, on the CPU."""

from typing import Any

import torch

from upbench.bench.adapters import Adapter
from upbench.bench.errors import FailedError, SkippedError
from upbench.bench.upsampler import build


def tried(adapter: Adapter) -> dict[str, Any]:
    """`available`, with the factory's own first line as `summary`, or with the `reason` why it is not."""
    try:
        summary = adapter.summary()
        build(adapter, 2, torch.device("cpu"), torch.float32)
    except (SkippedError, FailedError) as reason:
        return {"available": False, "reason": str(reason)}
    return {"available": True, "summary": summary}
