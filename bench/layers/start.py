"""How a network begins: its layers, checked, their output deviation, and the inner width that matches its cost."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from upbench.bench.adapters import sentence
from upbench.bench.errors import FailedError, SkippedError
from upbench.methods.layers.networks import Network, build

EQUAL_DEVIATION = 0.577  # 1/sqrt(3): what a convolution has by torch's default
WITHIN = 0.02  # how near matched costs come
PROBE = (16, 12, 12)  # images and sides of the noise that goes through a new layer

Make = Callable[[int, int], nn.Module]


def made(factory: Callable[[int, int], Any], channels: int, scale: int) -> Any:
    """The layer that a factory makes, checked on one input; raises `SkippedError` or `FailedError` with the reason."""
    try:
        layer = factory(channels, scale)
        if not isinstance(layer, nn.Module):
            raise FailedError(f"the factory returned a {type(layer).__name__}, not an nn.Module")
        with torch.no_grad():
            high = layer(torch.rand(2, channels, 5, 7))
    except NotImplementedError as error:
        raise SkippedError(sentence(error)) from error
    expected = (2, channels, 5 * scale, 7 * scale)
    if not isinstance(high, torch.Tensor) or tuple(high.shape) != expected:
        got = tuple(high.shape) if isinstance(high, torch.Tensor) else type(high).__name__
        raise FailedError(f"output {got} instead of {expected}")
    if not high.isfinite().all():
        raise FailedError("the output of a new layer holds NaN or infinity")
    return layer


def noise(channels: int) -> Tensor:
    """Unit Gaussian noise, always the same: `(16, C, 12, 12)`."""
    n, h, w = PROBE
    return torch.randn(n, channels, h, w, generator=torch.Generator().manual_seed(0))


def equalise(layer: nn.Module, channels: int) -> None:
    """Scale a layer's last weights so that its output's deviation is 0.577 of its input's.

    A layer without weights is left as it is. Raises `SkippedError` where scaling them does not do it.
    """
    weights = [parameter for parameter in layer.parameters() if parameter.dim() > 1]
    if not weights:
        return
    low = noise(channels)
    with torch.no_grad():
        for _ in range(3):
            weights[-1].mul_(EQUAL_DEVIATION / layer(low).std())
        reached = layer(low).std().item()
    if not abs(reached / EQUAL_DEVIATION - 1) < 0.02:
        raise SkippedError(f"scaling its last weights gives an output deviation of {reached:.3g}, not 0.577")


def phases(layer: nn.Module, channels: int) -> list[float]:
    """Variance of a layer's output in each of its four phases, for unit noise."""
    with torch.no_grad():
        high = layer(noise(channels))[..., 4:-4, 4:-4]
    return [high[..., row::2, column::2].var().item() for row in (0, 1) for column in (0, 1)]


def macs(network: Network, images: Tensor) -> int:
    """Multiply-adds of one image, as torch counts them (interpolation and the like it counts as none)."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(images[:1])
    return int(counter.get_total_flops()) // 2


def parameters(network: nn.Module) -> int:
    """How many numbers are trained."""
    return sum(parameter.numel() for parameter in network.parameters())


def matched(task: str, make: Make, reference: Make, channels: int, cost: Callable[[Network], int]) -> int:
    """The blocks' inner width at which a network's cost is the reference's at `channels`, within 2 %.

    Cost is linear in that width, so two points give it. Raises `SkippedError` where no width reaches it.
    """
    target = cost(build(task, reference, channels, channels, 0))
    one, two = (cost(build(task, make, channels, hidden, 0)) for hidden in (1, 2))
    hidden = 1 + round((target - one) / (two - one))
    if hidden < 1:
        raise SkippedError(f"cannot be matched: with blocks of inner width 1 it costs {one:,} against {target:,}")
    reached = cost(build(task, make, channels, hidden, 0))
    if abs(reached / target - 1) > WITHIN:
        raise FailedError(f"inner width {hidden} comes to {reached:,} against {target:,}, not within 2 %")
    return hidden
