"""From a cell to the call that is timed. Everything here happens before the clock starts."""

import functools
import itertools
import math
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from upbench.bench.adapters import Adapter
from upbench.bench.cells import COPY, WRITE, Cell, workload
from upbench.bench.conformance import conforming
from upbench.bench.errors import SkippedError
from upbench.bench.inputs import Rotation
from upbench.bench.speed.probe import Probe
from upbench.bench.upsampler import Upsampler

YARDSTICKS: dict[str, Callable[[Tensor], Tensor]] = {
    COPY: torch.clone,
    WRITE: functools.partial(torch.full_like, fill_value=0.5),
}
FEWEST_INPUTS, MOST_INPUTS = 4, 256
INPUT_BYTES = 2**20  # of all inputs together, where they are small: they stay in the cache
NATIVE_INPUTS = 4
SLOW_SECONDS = 0.02  # a call that takes longer dwarfs its conversion: once is enough


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """A call without arguments, and the seconds of conversion that it leaves out (0 for methods on tensors).

    `call` is `function` on each of `inputs` in turn. `probe` is an input apart, by which the outputs are held to what
    they were (None for the yardsticks).
    """

    call: Callable[[], Any]
    function: Callable[[Any], Any]
    inputs: Sequence[Any]
    conversion_seconds: float = 0.0
    probe: Probe | None = None


def prepare(cell: Cell, adapters: dict[str, Adapter]) -> Timed:
    """Build the timed call of a cell: fresh inputs in rotation, checked upsampler, conversions taken apart.

    Raises `SkippedError` or `FailedError` with the reason.
    """
    torch.set_num_threads(cell.threads)
    if cell.method in YARDSTICKS:
        if cell.step == "train" or cell.mode == "compile":
            raise SkippedError("the yardstick is a plain copy, forward and eager")
        return _timed(YARDSTICKS[cell.method], _rotation(cell, workload(cell.workload).output_shape(cell.scale)))
    if cell.step == "train" and not getattr(torch, cell.dtype).is_floating_point:
        raise SkippedError(f"there are no gradients in {cell.dtype}")
    upsampler = _conforming(adapters[cell.method], cell.scale, cell.device, cell.dtype)
    function = call_of(cell, upsampler)
    rotation = _rotation(cell, workload(cell.workload).shape)
    probe = Probe(upsampler, function, rotation.images[0].clone(), cell.scale)
    if not upsampler.native:
        return _timed(function, rotation, probe)
    images = rotation.images[:NATIVE_INPUTS]
    natives = [upsampler.prepare(image) for image in images]
    return Timed(
        call=_call(function, itertools.cycle(natives)),
        function=function,
        inputs=natives,
        conversion_seconds=_conversion_seconds(upsampler, images),
        probe=probe,
    )


def call_of(cell: Cell, upsampler: Upsampler) -> Callable[[Any], Any]:
    """What is timed of a cell: the call, compiled where that is asked, with its backward pass in training.

    Raises `SkippedError` for a library that works on arrays of its own and is asked to compile or to train.
    """
    if cell.step == "train" and upsampler.native:
        raise SkippedError("it has no backward pass")
    function = forward_of(cell, upsampler)
    if cell.step == "train":
        return functools.partial(_forward_backward, upsampler, function)
    return function


def forward_of(cell: Cell, upsampler: Upsampler) -> Callable[[Any], Any]:
    """The forward call alone, compiled where that is asked; raises `SkippedError` as `call_of` does."""
    if cell.mode == "compile" and upsampler.native:
        raise SkippedError("torch.compile takes methods on tensors only")
    return torch.compile(upsampler.upsample) if cell.mode == "compile" else upsampler.upsample


@functools.lru_cache(maxsize=256)
def _conforming(adapter: Adapter, scale: int, device: str, dtype: str) -> Upsampler:
    return conforming(adapter, scale, torch.device(device), getattr(torch, dtype))


def bytes_moved(cell: Cell) -> int:
    """Input and output of one call, bytes; twice that in training (their gradients move too)."""
    shape = workload(cell.workload)
    output = math.prod(shape.output_shape(cell.scale))
    values = {COPY: 2 * output, WRITE: output}.get(cell.method, math.prod(shape.shape) + output)
    size = torch.empty(0, dtype=getattr(torch, cell.dtype)).element_size()
    return values * size * (2 if cell.step == "train" else 1)


def _rotation(cell: Cell, shape: tuple[int, int, int, int]) -> Rotation:
    # tensors made in inference mode are of no use in training: they are kept apart
    return _rotating(torch.is_inference_mode_enabled(), shape, cell.dtype, cell.device, cell.memory_format)


@functools.lru_cache(maxsize=1)
def _rotating(
    inference: bool, shape: tuple[int, int, int, int], dtype: str, device: str, memory_format: str
) -> Rotation:
    """The inputs that neighbouring cells share: large ones take longer to make than to upsample."""
    values = getattr(torch, dtype)
    fitting = INPUT_BYTES // (math.prod(shape) * values.itemsize)
    return Rotation(shape, values, device, memory_format, min(max(fitting, FEWEST_INPUTS), MOST_INPUTS))


def _timed(function: Callable[[Any], Any], rotation: Rotation, probe: Probe | None = None) -> Timed:
    return Timed(call=_call(function, iter(rotation)), function=function, inputs=rotation.images, probe=probe)


def _call(function: Callable[[Any], Any], inputs: Iterator[Any]) -> Callable[[], Any]:
    following = inputs.__next__
    return lambda: function(following())


def _forward_backward(upsampler: Upsampler, function: Callable[[Any], Any], low: Tensor) -> tuple[Tensor, ...]:
    """One training step's share: the output, and the gradients of input and parameters for a gradient of ones."""
    wanted = [low.detach().requires_grad_(), *getattr(upsampler.upsample, "parameters", lambda: ())()]
    high = function(wanted[0])
    if not isinstance(high, Tensor) or not high.requires_grad:
        raise SkippedError("it has no backward pass")
    return torch.autograd.grad(high, wanted, grad_outputs=torch.ones_like(high))


def _conversion_seconds(upsampler: Upsampler, images: Sequence[Tensor]) -> float:
    """Median seconds of `prepare` plus `restore`, over the rotated inputs; over the first of a slow method."""
    seconds = []
    for image in images:
        start = time.perf_counter()
        native = upsampler.prepare(image)
        middle = time.perf_counter()
        high = upsampler.upsample(native)
        resumed = time.perf_counter()
        upsampler.restore(high)
        seconds.append(middle - start + time.perf_counter() - resumed)
        if resumed - middle > SLOW_SECONDS:
            break
    return statistics.median(seconds)
