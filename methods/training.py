"""Training a network on pairs of images: reproducible from a seed, and resumable after an interruption."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

ROUNDING_VARIANCE = 1 / 12 / 255**2  # of an 8-bit image: nothing can be learned below it
WARM_UP = 200  # steps
DECAY = 0.4  # of all steps
CHECKPOINT_EVERY = 250  # steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How long and how fast to train: `rate` is Adam's highest learning rate."""

    steps: int
    batch: int = 16
    rate: float = 1e-3
    seed: int = 0

    def rate_at(self, step: int) -> float:
        """Linear rise over 200 steps, constant, linear fall to zero over the last 40 % of the steps.

        A constant rate leaves the length open until the fall begins (Haegele et al., "Scaling laws and
        compute-optimal training beyond fixed training durations", 2024).
        """
        return self.rate * min(1.0, (step + 1) / WARM_UP, (self.steps - step) / (DECAY * self.steps))


@dataclass(slots=True, kw_only=True)
class Progress:
    """What a checkpoint keeps beside the weights: steps done, seconds spent, and each step's loss in dB."""

    step: int = 0
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)


def train(
    build: Callable[[], nn.Module],
    high: Tensor,
    low: Tensor,
    recipe: Recipe,
    *,
    checkpoint: Path | None = None,
    label: str = "",
) -> tuple[nn.Module, Progress]:
    """Train a new network to make `high` out of `low`; both uint8, `(N, 3, s*H, s*W)` and `(N, 3, H, W)`.

    With a `checkpoint` path it saves there every 250 steps, and starts from there if the file exists; the
    result is the one an uninterrupted run would have given. A progress bar is shown if `label` is not empty.
    Raises `ValueError` if another recipe made the checkpoint; one that differs only in its number of steps
    may go on as long as both have had the same learning rates.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        network = build().to(memory_format=torch.channels_last)  # a fifth faster on the CPU
    optimizer = torch.optim.Adam(network.parameters(), betas=(0.9, 0.99))
    generator = torch.Generator().manual_seed(recipe.seed)
    progress = _resume(checkpoint, recipe, network, optimizer, generator)
    steps = range(progress.step, recipe.steps)
    for step in tqdm(steps, initial=progress.step, total=recipe.steps, desc=label, disable=not label):
        start = time.perf_counter()
        progress.losses.append(
            _step(network, optimizer, recipe.rate_at(step), *draw(high, low, recipe.batch, generator))
        )
        progress.step = step + 1
        progress.seconds += time.perf_counter() - start
        if checkpoint and (progress.step % CHECKPOINT_EVERY == 0 or progress.step == recipe.steps):
            _save(checkpoint, recipe, network, optimizer, generator, progress)
    return network.eval(), progress


def _step(network: nn.Module, optimizer: torch.optim.Optimizer, rate: float, high: Tensor, low: Tensor) -> float:
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad()
    loss = -psnr(network(low), high).mean()
    loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
    nn.utils.clip_grad_norm_(network.parameters(), 10.0)
    optimizer.step()
    return loss.item()


def psnr(image: Tensor, target: Tensor) -> Tensor:
    """The differentiable PSNR in dB of each image `(N, C, H, W)` in [0, 1], as `(N,)`.

    Trained directly (Chen et al., "Simple baselines for image restoration", 2022), because its mean over
    images is what is reported. The variance of rounding to 8 bit is added to the error, so that a perfect
    image stays finite.
    """
    error = (image - target).square().mean(dim=(1, 2, 3))
    return -10 * torch.log10(error + ROUNDING_VARIANCE)


def draw(high: Tensor, low: Tensor, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A random batch of pairs as floats in [0, 1], flipped, transposed and recoloured (permuted) at random.

    Both images of a pair are changed alike, which suits degradations that are symmetric in space and colour.
    """
    chosen = torch.randint(len(high), (batch,), generator=generator)
    colours = torch.randperm(3, generator=generator)
    flips = torch.randint(2, (3,), generator=generator).tolist()
    return _augment(high[chosen][:, colours], flips), _augment(low[chosen][:, colours], flips)


def _augment(images: Tensor, flips: list[int]) -> Tensor:
    horizontal, vertical, transpose = flips
    images = images.flip(3) if horizontal else images
    images = images.flip(2) if vertical else images
    images = images.transpose(2, 3) if transpose else images
    return (images.float() / 255).contiguous(memory_format=torch.channels_last)


def _save(
    path: Path,
    recipe: Recipe,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
    progress: Progress,
) -> None:
    state = {
        "recipe": _fields(recipe),
        "network": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "generator": generator.get_state(),
        "progress": _fields(progress),
    }
    temporary = path.with_suffix(".partial")
    torch.save(state, temporary)
    temporary.replace(path)


def _resume(
    path: Path | None,
    recipe: Recipe,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
) -> Progress:
    if path is None or not path.exists():
        return Progress()
    state = torch.load(path, weights_only=True)
    progress, before = Progress(**state["progress"]), Recipe(**state["recipe"])
    if not _same_so_far(before, recipe, progress.step):
        raise ValueError(f"{path} was made by another recipe: {before}.")
    network.load_state_dict(state["network"])
    optimizer.load_state_dict(state["optimizer"])
    generator.set_state(state["generator"])
    return progress


def _same_so_far(before: Recipe, now: Recipe, steps: int) -> bool:
    same_rates = all(before.rate_at(step) == now.rate_at(step) for step in range(steps))
    return same_rates and replace(before, steps=now.steps, rate=now.rate) == now


def _fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__slots__}
