"""Roads that capture a graph: `torch.compile` and `torch.export`."""

from collections import Counter
from typing import Any

import torch

from upbench.bench.deploy.asked import ELSEWHERE, EXPORTED, Asked, processor_seconds
from upbench.bench.deploy.verdicts import judge
from upbench.bench.inputs import random_images

Row = dict[str, Any]
COMPILED_SIZES = ELSEWHERE[:2]
FREE = {2: torch.export.Dim.AUTO, 3: torch.export.Dim.AUTO}


def compiled(asked: Asked, *, dynamic: bool) -> Row:
    """`torch.compile(fullgraph=True)`, called at three sizes; `recompiles` counts graphs after the first.

    The cache of compiled code is the road's own, but for the compiler's headers and what it found out about the
    processor: `prepare_seconds` leaves out the ten seconds that these take once on a machine.
    """
    from torch._dynamo.utils import counters

    torch._dynamo.reset()
    counters.clear()
    eager_calls = asked.times(asked.eager)["ms_eager"]  # the first eager call is not the compiler's time
    function = torch.compile(asked.fresh(), fullgraph=True, dynamic=dynamic or None)
    asked.compiled = None
    start = processor_seconds()
    Asked.call(function, random_images(EXPORTED))
    took = processor_seconds() - start - eager_calls / 1e3
    times = asked.times(function)
    asked.compiled = function if dynamic else None
    row = judge(asked.trials(function, COMPILED_SIZES))
    graphs = counters["stats"]["unique_graphs"]
    return row | times | {"prepare_seconds": took, "recompiles": graphs - 1}


def exported(asked: Asked, *, strict: bool, dynamic: bool, warm: bool = False) -> Row:
    """`torch.export.export`, run as the program that it gives; `warm`: of a module that was called at that size."""
    torch._dynamo.reset()
    method = asked.fresh()
    if warm:
        Asked.call(method, random_images(EXPORTED))
    start = processor_seconds()
    program = torch.export.export(
        method, (random_images(EXPORTED),), strict=strict, dynamic_shapes=(FREE,) if dynamic else None
    )
    took = processor_seconds() - start
    module = program.module()
    row = judge(asked.trials(module, ELSEWHERE if dynamic else ()))
    operators = Counter(str(node.target) for node in program.graph.nodes if node.op == "call_function")
    return row | asked.times(module) | {"prepare_seconds": took, "operators": listed(operators)}


def listed(operators: "Counter[str]") -> str:
    """Operators with how many there are of each."""
    return ", ".join(name if count == 1 else f"{count} {name}" for name, count in operators.items())
