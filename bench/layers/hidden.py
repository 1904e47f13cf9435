"""What a score hides: a checkerboard, a network that has died, and the memory that training holds."""

import itertools

import torch
from torch import Tensor

from upbench.bench.layers.training import outputs
from upbench.methods.layers.networks import Network, SuperResolution

COLOURS = [list(colour) for colour in itertools.product((0.3, 0.7), repeat=3)]
SIDE = 64  # of a constant image: its middle is far from the border
MIDDLE = 8


def checkerboard_levels(network: Network) -> float:
    """How unevenly a constant colour comes out, root mean square over the phases of a period, in 8-bit levels."""
    side = SIDE // 2 if isinstance(network, SuperResolution) else SIDE
    constant = torch.tensor(COLOURS).view(-1, 3, 1, 1).expand(-1, -1, side, side).contiguous()
    period = network.period
    start = (SIDE - MIDDLE) // 2
    inner = outputs(network, constant)[..., start : start + MIDDLE, start : start + MIDDLE].double()
    cells = inner.reshape(*inner.shape[:2], MIDDLE // period, period, MIDDLE // period, period)
    phases = cells.mean(dim=(2, 4))
    uneven = phases - phases.mean(dim=(-2, -1), keepdim=True)
    return 255 * float(uneven.square().mean().sqrt())


def own_levels(network: Network, inputs: Tensor, made: Tensor) -> float:
    """Deviation of what the network added to its starting point, in 8-bit levels, over its outputs `made`."""
    own = made - network.skip(inputs)
    return 255 * (own - own.mean(dim=(0, 2, 3), keepdim=True)).std().item()


def dead_share(network: Network, inputs: Tensor) -> float:
    """Share of the channels behind the last layer's ReLU that are zero on all of these inputs."""
    device = next(network.parameters()).device
    with torch.inference_mode():
        return (network.seen(inputs.to(device)).amax(dim=(0, 2, 3)) <= 0).float().mean().item()


def held_bytes(network: Network, inputs: Tensor) -> int:
    """Bytes of activations that a training step keeps for its backward pass, each memory block once."""
    kept: dict[int, int] = {}
    mine = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in mine:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    device = next(network.parameters()).device
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        alive = network(inputs.to(device)).sum()
    del alive
    return sum(kept.values())
