"""One training: deterministic from its seed on one thread, with its curve and what went wrong."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

import torch
from torch import Tensor, nn

from upbench.methods.layers.networks import Network

CLIP = 0.1
WARM_UP = 0.05  # of all steps
CHARBONNIER = 1e-3
POINTS = 10  # of a curve
CURVE_IMAGES = 50
AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """What a network is given and what it shall make of it, float32 in [0, 1], for training and for testing."""

    inputs: Tensor
    targets: Tensor
    test_inputs: Tensor
    test_targets: Tensor


@dataclass(slots=True, kw_only=True)
class Course:
    """How a training went: points (step, loss, PSNR in dB), gradient norms before clipping, seconds of each step."""

    curve: list[tuple[int, float, float]] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)
    layer_norms: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    broken: str = ""


def rate_at(step: int, steps: int, highest: float) -> float:
    """Linear warm-up over 5 % of the steps, then a cosine to zero."""
    warm = max(1, round(WARM_UP * steps))
    if step < warm:
        return highest * (step + 1) / warm
    return highest * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def batches(images: Images, size: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Random batches without end, half of the images mirrored; the order depends on the seed alone."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        order = torch.randperm(len(images.inputs), generator=generator)
        for part in torch.split(order, size):
            if len(part) < min(size, len(order)):
                break
            mirrored = torch.rand(len(part), generator=generator) < 0.5
            yield tuple(  # type: ignore[misc]
                torch.where(mirrored[:, None, None, None], batch.flip(-1), batch)
                for batch in (images.inputs[part], images.targets[part])
            )


def train(network: Network, images: Images, steps: int, batch: int, rate: float, seed: int) -> Course:
    """Train in place by Adam on the Charbonnier loss; stops at a loss that is not finite and says so."""
    course, losses = Course(), []
    device = next(network.parameters()).device
    optimizer = torch.optim.Adam(network.parameters(), lr=rate, betas=(0.9, 0.99))
    source = batches(images, batch, seed)
    marks = {max(1, round(steps * point / POINTS)) for point in range(1, POINTS + 1)}
    course.curve.append((0, math.nan, score(network, images, CURVE_IMAGES)))
    for step in range(steps):
        given, wanted = (part.to(device) for part in next(source))
        start = clock(device)
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, steps, rate)
        loss = _step(network, optimizer, given, wanted, course)
        course.seconds.append(clock(device) - start)
        losses.append(loss)
        if not math.isfinite(loss):
            course.broken = f"the loss was {loss} at step {step + 1}"
            return course
        if step + 1 in marks:
            course.curve.append((step + 1, sum(losses) / len(losses), score(network, images, CURVE_IMAGES)))
            losses = []
    return course


def _step(network: Network, optimizer: torch.optim.Optimizer, given: Tensor, wanted: Tensor, course: Course) -> float:
    loss = ((network(given) - wanted).square() + CHARBONNIER**2).sqrt().mean()
    optimizer.zero_grad()
    loss.backward()
    layer = [parameter.grad for parameter in network.layers.parameters() if parameter.grad is not None]
    course.layer_norms.append(nn.utils.get_total_norm(layer).item() if layer else 0.0)
    course.norms.append(nn.utils.clip_grad_norm_(network.parameters(), CLIP).item())
    optimizer.step()
    return float(loss.detach())


def outputs(network: Network, inputs: Tensor) -> Tensor:
    """The network's outputs for many images, unclamped."""
    device = next(network.parameters()).device
    with torch.inference_mode():
        return torch.cat([network(part.to(device)).cpu() for part in torch.split(inputs, AT_ONCE)])


def psnr_db(made: Tensor, wanted: Tensor) -> float:
    """Mean over the images of the PSNR in dB, after clamping and rounding to 8 bit; an exact image counts as 100 dB."""
    difference = (made.clamp(0, 1) * 255).round() - (wanted * 255).round()
    errors = difference.double().square().mean(dim=(1, 2, 3))
    decibels = 20 * math.log10(255) - 10 * errors.clamp_min(255**2 * 1e-10).log10()
    return float(decibels.mean())


def score(network: Network, images: Images, limit: int | None = None) -> float:
    """PSNR on the test images, or on the first `limit` of them."""
    return psnr_db(outputs(network, images.test_inputs[:limit]), images.test_targets[:limit])


def clock(device: torch.device) -> float:
    """Seconds that our process had a core; on a GPU those on the wall, when all work is done.

    The same clock as the version gate's, for the same reason: what others take of a shared core is not the layer's.
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        return time.perf_counter()
    return time.process_time()


def blocks(calls: Sequence[Callable[[], object]], device: torch.device, rounds: int) -> list[list[float]]:
    """Seconds of each call in each round, the calls in turn; one untimed round before."""
    found: list[list[float]] = [[] for _ in calls]
    with torch.inference_mode():
        for turn in range(rounds + 1):
            for call, seconds in zip(calls, found, strict=True):
                start = clock(device)
                call()
                if turn:
                    seconds.append(clock(device) - start)
    return found


def middle(values: list[float]) -> float:
    """The median; NaN of none."""
    return median(values) if values else math.nan
