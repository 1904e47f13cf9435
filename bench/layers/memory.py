"""The memory of a training step and of inference, as the allocator sees it."""

import torch
from torch import Tensor

from upbench.bench.memory import peak_bytes
from upbench.methods.layers.networks import Network


def peaks(network: Network, inputs: Tensor) -> dict[str, int]:
    """Bytes that a forward and backward pass, and inference, hold at most beyond the weights and the inputs."""
    device = next(network.parameters()).device
    inputs = inputs.to(device)

    def step() -> None:
        network(inputs).square().mean().backward()

    def inference() -> None:
        with torch.inference_mode():
            network(inputs)

    found = {"step_peak_bytes": peak_bytes(step, device)}
    network.zero_grad()
    return found | {"infer_peak_bytes": peak_bytes(inference, device)}
