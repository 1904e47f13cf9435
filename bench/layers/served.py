"""What a worker of `upbench layers` can be asked: one training with its figures. Strangers' code runs here."""

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from upbench.bench.layers import contract, folding, hidden, memory, start, training
from upbench.bench.layers.training import Images, middle
from upbench.methods.layers.networks import Network, build
from upbench.methods.layers.resized import nearest_conv3

TIMED_IMAGES = 32
ROUNDS = 7
Message = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One training, as its request line has it."""

    layer: str
    task: str
    fairness: str
    initialisation: str
    rate: float
    seed: int
    steps: int
    width: int
    batch: int
    device: str
    known: bool


class Training:
    """A process that trains networks."""

    def __init__(self) -> None:
        """One thread; subnormal numbers would make a CPU ten times slower."""
        torch.set_num_threads(1)
        torch.set_flush_denormal(True)

    def train(self, data: str, **order: Any) -> Message:
        """The figures of one training; raises `SkippedError` or `FailedError` with the reason.

        Where the drop-in network of this seed is `known` and this one would be the same, it says so instead.
        """
        wanted = Order(**order)
        images = _images(data, wanted.task)
        made = partial(start.made, contract.load(wanted.layer))
        inner = _inner_width(wanted, made, images)
        if wanted.known and inner == wanted.width:
            return {"as_drop_in": True}
        network = _network(wanted, made, inner).to(wanted.device)
        row = _before(network, wanted, images)
        course = training.train(network, images, wanted.steps, wanted.batch, wanted.rate, wanted.seed)
        row |= _course(course)
        if course.broken:
            return row | {"collapsed": course.broken}
        return row | _after(network, wanted, images)


def _images(data: str, task: str) -> Images:
    """The arrays that the stage wrote: uint8, high and low resolution, training and test."""
    with np.load(data) as arrays:
        parts = {name: torch.from_numpy(arrays[name]).float() / 255 for name in arrays.files}
    given = "low" if task == "super-resolution" else "high"
    return Images(
        inputs=parts[f"train_{given}"],
        targets=parts["train_high"],
        test_inputs=parts[f"test_{given}"],
        test_targets=parts["test_high"],
    )


def _inner_width(wanted: Order, made: start.Make, images: Images) -> int:
    """Of the residual blocks: what makes the network's cost that of the reference."""
    if wanted.fairness == "drop-in":
        return wanted.width
    counts = {"matched-macs": lambda n: start.macs(n, images.inputs), "matched-parameters": start.parameters}
    return start.matched(wanted.task, made, nearest_conv3, wanted.width, counts[wanted.fairness])


def _network(wanted: Order, made: start.Make, inner: int) -> Network:
    network = build(wanted.task, made, wanted.width, inner, wanted.seed)
    if wanted.initialisation == "equal":
        for layer in network.layers:
            start.equalise(layer, wanted.width)
    return network


def _before(network: Network, wanted: Order, images: Images) -> Message:
    """What is known before the first step."""
    variances = start.phases(network.layers[0].cpu(), wanted.width)
    network.to(wanted.device)
    return {
        "width": wanted.width,
        "hidden": network.hidden,
        "parameters": start.parameters(network),
        "layer_parameters": start.parameters(network.layers),
        "macs": start.macs(network, images.inputs.to(wanted.device)[:1]),
        "held_bytes": hidden.held_bytes(network, images.inputs[: wanted.batch]),
        **memory.peaks(network, images.inputs[: wanted.batch]),
        "start_db": training.psnr_db(network.skip(images.test_inputs), images.test_targets),
        "phase_ratio": max(variances) / max(min(variances), 1e-30),
        "start_checkerboard_levels": hidden.checkerboard_levels(network),
    }


def _course(course: training.Course) -> Message:
    return {
        "train_ms": 1e3 * middle(course.seconds[len(course.seconds) // 10 :]),
        "gradient_norm": middle(course.norms),
        "layer_gradient_norm": middle(course.layer_norms),
        "clipped_share": sum(norm > training.CLIP for norm in course.norms) / max(1, len(course.norms)),
        "curve": [[step, _number(loss), _number(psnr)] for step, loss, psnr in course.curve],
    }


def _number(value: float) -> float | None:
    """A number that JSON can hold."""
    return value if math.isfinite(value) else None


def _after(network: Network, wanted: Order, images: Images) -> Message:
    made = training.outputs(network, images.test_inputs)
    psnr = training.psnr_db(made, images.test_targets)
    network.cpu()
    own = hidden.own_levels(network, images.test_inputs, made)
    row: Message = {
        "psnr_db": _number(psnr),
        "own_levels": own,
        "dead_share": hidden.dead_share(network, images.test_inputs[:100]),
        "checkerboard_levels": hidden.checkerboard_levels(network),
        "collapsed": "" if math.isfinite(psnr) else "its score is not a number",
    }
    network.to(wanted.device)
    row |= folding.columns(network, images, wanted.width)
    return row | _times(network, wanted, images.test_inputs[:TIMED_IMAGES])


def _times(network: Network, wanted: Order, inputs: Tensor) -> Message:
    """Inference in blocks of 32 images, in turn with the drop-in reference's: its own time and the pair's ratio."""
    inputs = inputs.to(wanted.device)
    reference = build(wanted.task, nearest_conv3, wanted.width, wanted.width, wanted.seed).to(wanted.device)
    calls = [partial(model, inputs) for model in (network.eval(), reference.eval())]
    own, other = training.blocks(calls, inputs.device, ROUNDS)
    ratios = [one / two for one, two in zip(own, other, strict=True)]
    return {"infer_ms": 1e3 * middle(own) * 100 / len(inputs), "infer_ratio": middle(ratios)}
