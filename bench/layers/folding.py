"""A trained nearest + conv3 as one transposed convolution: the same outputs, and how much faster."""

import copy
from functools import partial
from typing import Any

import torch
from torch import nn

from upbench.bench.layers.training import Images, blocks, middle, outputs
from upbench.methods.layers.fold import fold
from upbench.methods.layers.networks import Network
from upbench.methods.layers.resized import Resize

ROUNDS = 7
SEEN = (32, 16, 16)  # images and sides of the features that the layer alone is timed on


def columns(network: Network, images: Images, channels: int) -> dict[str, Any]:
    """Of a network whose layers can be folded: the largest difference of its outputs on the test images, and the time
    folded over unfolded, of the layer alone and of the network. Nothing of another network.
    """
    layers = [folded(layer) for layer in network.layers]
    if not layers or None in layers:
        return {}
    other = copy.deepcopy(network)
    other.layers = nn.ModuleList([layer for layer in layers if layer is not None])
    inputs = images.test_inputs[: SEEN[0]]
    difference = (outputs(other, images.test_inputs) - outputs(network, images.test_inputs)).abs().max().item()
    n, h, w = SEEN
    low = torch.randn(n, channels, h, w, generator=torch.Generator().manual_seed(0))
    return {
        "folded_difference": difference,
        "folded_layer_time": _ratio(other.layers[0], network.layers[0], low),
        "folded_time": _ratio(other, network, inputs),
    }


def folded(layer: nn.Module) -> nn.ConvTranspose2d | None:
    """The transposed convolution that equals a nearest + conv3 layer at x2; None for another layer."""
    if not (isinstance(layer, nn.Sequential) and len(layer) == 2):
        return None
    resize, convolution = layer
    if not (isinstance(resize, Resize) and (resize.scale, resize.mode) == (2, "nearest")):
        return None
    return fold(convolution) if isinstance(convolution, nn.Conv2d) else None


def _ratio(one: nn.Module, other: nn.Module, inputs: torch.Tensor) -> float:
    device = next(one.parameters()).device
    calls = [partial(module.eval(), inputs.to(device)) for module in (one, other)]
    times = zip(*blocks(calls, device, ROUNDS), strict=True)
    return middle([first / second for first, second in times])
