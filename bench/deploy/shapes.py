"""Roads at the shapes where they break: one, two and three pixels, odd sizes, no image, factors that are not whole.

Eager, compiled and ONNX Runtime, each against eager; what eager itself refuses is told and is no road's fault.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from upbench.bench.adapters import lazily
from upbench.bench.deploy.asked import EAGER, Asked, reason
from upbench.bench.deploy.graphs import FREE, Row
from upbench.bench.deploy.onnx_file import export, in_onnxruntime
from upbench.bench.deploy.verdicts import Trial, judge_shapes
from upbench.bench.inputs import random_images

Function = Callable[[Tensor], Any]
SIZES = {
    "3x3": (1, 3, 3, 3),
    "2x2": (1, 3, 2, 2),
    "7x5": (1, 3, 7, 5),
    "1x1": (1, 3, 1, 1),
    "batch 0": (0, 3, 8, 8),
}
ODD = (1, 3, 20, 21)
FORMS = ("scale_factor", "size")
FACTORS: dict[str, float | tuple[int, int]] = {"x1.5": 1.5, "x2.05": 2.05, "height only": (2, 1)}


def compiled(asked: Asked) -> Row:
    """`torch.compile(fullgraph=True, dynamic=True)` for the sizes; each factor and form compiled for itself."""
    return _asked_at_all(asked, _compiled_for_any_size, _compiled)


def in_onnx(asked: Asked) -> Row:
    """One model of free batch, height and width for the sizes; for each factor and form a model of its own."""
    return _asked_at_all(asked, _model_of_any_size, _model)


def _asked_at_all(asked: Asked, any_size: Callable[[Asked], Function], one: Callable[[Asked], Function]) -> Row:
    function = any_size(asked)
    trials = [asked.trial(function, random_images(shape, seed=3), name) for name, shape in SIZES.items()]
    for name, other in _others(asked):
        trials.append(_tried(other, one, name))
    return judge_shapes(*_told(trials))


def _others(asked: Asked) -> Iterator[tuple[str, Asked]]:
    """The method by each form and factor, where it has forms."""
    if "form" not in inspect.signature(asked.adapter.factory()).parameters or "@" in asked.adapter.name:
        return
    for form in FORMS:
        adapter = lazily(f"{asked.adapter.name}@{form}")
        for name, factor in FACTORS.items():
            yield f"{name} by {form}", replace(asked, adapter=adapter, factor=factor)


def _tried(asked: Asked, make: Callable[[Asked], Function], name: str) -> Trial:
    try:
        function = make(asked)
    except Exception as error:
        return Trial(size=name, exported=False, reason=reason(error))
    return asked.trial(function, random_images(ODD), name)


def _told(trials: Sequence[Trial]) -> tuple[list[Trial], list[Trial]]:
    """Those that eager can do, and those that it refuses."""
    refused = [trial for trial in trials if trial.reason.startswith(EAGER)]
    return [trial for trial in trials if trial not in refused], refused


def _compiled_for_any_size(asked: Asked) -> Function:
    if asked.compiled is not None:
        return asked.compiled
    function: Function = torch.compile(asked.fresh(), fullgraph=True, dynamic=True)
    return function


def _compiled(asked: Asked) -> Function:
    torch._dynamo.reset()
    function: Function = torch.compile(asked.fresh(), fullgraph=True)
    return function


def _model_of_any_size(asked: Asked) -> Function:
    free = FREE | {0: torch.export.Dim.AUTO}
    return in_onnxruntime(export(asked, random_images((2, 3, 16, 18)), free=free).SerializeToString())


def _model(asked: Asked) -> Function:
    return in_onnxruntime(export(asked, random_images(ODD), free=None).SerializeToString())
