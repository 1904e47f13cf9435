"""The memory of a training step and of inference, as the allocator sees it."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.autograd.profiler import profile

from upbench.bench.cuda import runtime
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


def peak_bytes(act: Callable[[], None], device: torch.device) -> int:
    """The most that `act` holds at a time beyond what was there before: of CUDA's allocator, or of torch's on a CPU."""
    if device.type == "cuda":
        return runtime.peak_bytes(act, device)
    with profile(profile_memory=True) as profiled:
        act()
    assert profiled.kineto_results is not None
    changes = [event for event in profiled.kineto_results.events() if event.name() == "[memory]"]
    held = most = 0
    for change in sorted(changes, key=lambda event: event.start_ns()):
        held += change.nbytes()
        most = max(most, held)
    return most
