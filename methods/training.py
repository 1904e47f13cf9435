"""Training a network on pairs of images: reproducible from a seed, and resumable after an interruption."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

ROUNDING_VARIANCE = 1 / 12 / 255**2  # of an 8-bit image: nothing can be learned below it
WARM_UP = 200  # steps
DECAY = 0.4  # of all steps
CHECKPOINT_EVERY = 250  # steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How long, how fast and on what to train.

    `rate` is Adam's highest learning rate. With a `muon_rate`, the weights of all convolutions but the first and
    the last are Muon's at that rate (Jordan et al., "Muon: an optimizer for hidden layers in neural networks",
    2024): `learned-edsr` x2 was 0.14 dB better on held-out images after 1,200 steps; `weight_decay` is for those
    weights. With a `crop`, a step sees squares of that many high-resolution pixels, cut anywhere and degraded anew:
    a square that starts between two low-resolution pixels is a new example. `recolour` permutes the colours of a
    batch at random: more examples, but a harder task (0.03 dB at `learned-edsr` x2 after 1,200 steps). With
    `sides`, a step first reduces its images to one of those sizes, drawn at random: what is in an image is seen at
    other sizes too (Dong et al., "Accelerating the super-resolution convolutional neural network", 2016, who
    reduced theirs to 0.9 to 0.6 of the size). With it and a weight decay, the second cycle of `learned-edsr` x2
    gained 0.11 dB on held-out images and 0.02 on training images.
    """

    steps: int
    batch: int = 16
    rate: float = 1e-3
    muon_rate: float = 0.0
    weight_decay: float = 0.0
    crop: int = 0
    sides: tuple[int, ...] = ()
    recolour: bool = True
    seed: int = 0

    def share_at(self, step: int) -> float:
        """The share of its highest rate that an optimizer has at a step.

        Linear rise over 200 steps, constant, linear fall to zero over the last 40 % of the steps.

        A constant rate leaves the length open until the fall begins (Haegele et al., "Scaling laws and
        compute-optimal training beyond fixed training durations", 2024).
        """
        return min(1.0, (step + 1) / WARM_UP, (self.steps - step) / (DECAY * self.steps))


@dataclass(slots=True, kw_only=True)
class Progress:
    """What a checkpoint keeps beside the weights: steps done, seconds spent, and each step's loss in dB."""

    step: int = 0
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)


def train(
    build: Callable[[], nn.Module],
    high: Tensor,
    degrade: Callable[[Tensor], Tensor],
    recipe: Recipe,
    *,
    checkpoint: Path | None = None,
    label: str = "",
) -> tuple[nn.Module, Progress]:
    """Train a new network to make uint8 images `high` `(N, 3, s*H, s*W)` out of what they degrade to.

    With a `checkpoint` path it saves there every 250 steps, and starts from there if the file exists; the
    result is the one an uninterrupted run would have given. A progress bar is shown if `label` is not empty.
    Raises `ValueError` if another recipe made the checkpoint; one that differs only in its number of steps
    may go on as long as both have had the same learning rates.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        network = build().to(memory_format=torch.channels_last)  # a fifth faster on the CPU
    optimizers = Optimizers(network, recipe)
    generator = torch.Generator().manual_seed(recipe.seed)
    progress = _resume(checkpoint, recipe, network, optimizers, generator)
    steps = range(progress.step, recipe.steps)
    for step in tqdm(steps, initial=progress.step, total=recipe.steps, desc=label, disable=not label):
        start = time.perf_counter()
        pair = draw(high, degrade, recipe, generator)
        progress.losses.append(_step(network, optimizers, recipe.share_at(step), *pair))
        progress.step = step + 1
        progress.seconds += time.perf_counter() - start
        if checkpoint and (progress.step % CHECKPOINT_EVERY == 0 or progress.step == recipe.steps):
            _save(checkpoint, recipe, network, optimizers, generator, progress)
    return network.eval(), progress


class Optimizers:
    """Adam for all of a network's weights, or Muon for its hidden convolutions and Adam for the rest."""

    def __init__(self, network: nn.Module, recipe: Recipe) -> None:
        """The network's weights have to be channels last: Muon takes matrices, here views of the same numbers."""
        convolutions = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
        self.hidden = [layer.weight for layer in convolutions[1:-1]] if recipe.muon_rate else []
        self.matrices = [nn.Parameter(_matrix(weight.detach())) for weight in self.hidden]
        hidden = set(map(id, self.hidden))
        others = [parameter for parameter in network.parameters() if id(parameter) not in hidden]
        self.members: list[tuple[torch.optim.Optimizer, float]] = [
            (torch.optim.Adam(others, betas=(0.9, 0.99)), recipe.rate)
        ]
        if self.matrices:
            muon = torch.optim.Muon(self.matrices, weight_decay=recipe.weight_decay, adjust_lr_fn="match_rms_adamw")
            self.members.append((muon, recipe.muon_rate))

    def step(self, share: float) -> None:
        """Change the weights by their gradients, at a share of each optimizer's highest rate."""
        for weight, matrix in zip(self.hidden, self.matrices, strict=True):
            matrix.grad = None if weight.grad is None else _matrix(weight.grad)
        for optimizer, rate in self.members:
            for group in optimizer.param_groups:
                group["lr"] = share * rate
            optimizer.step()

    def state(self) -> list[dict[str, Any]]:
        """What a checkpoint keeps of them."""
        return [optimizer.state_dict() for optimizer, _ in self.members]

    def restore(self, states: list[dict[str, Any]]) -> None:
        """Take up what `state` gave."""
        for (optimizer, _), state in zip(self.members, states, strict=True):
            optimizer.load_state_dict(state)


def _matrix(weight: Tensor) -> Tensor:
    """`(outputs, inputs, k, k)`, channels last, as `(outputs, k * k * inputs)` on the same memory."""
    return weight.permute(0, 2, 3, 1).flatten(1)


def _step(network: nn.Module, optimizers: Optimizers, share: float, high: Tensor, low: Tensor) -> float:
    network.zero_grad()
    loss = -psnr(network(low), high).mean()
    loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
    nn.utils.clip_grad_norm_(network.parameters(), 10.0)
    optimizers.step(share)
    return loss.item()


def psnr(image: Tensor, target: Tensor) -> Tensor:
    """The differentiable PSNR in dB of each image `(N, C, H, W)` in [0, 1], as `(N,)`.

    Trained directly (Chen et al., "Simple baselines for image restoration", 2022), because its mean over
    images is what is reported. The variance of rounding to 8 bit is added to the error, so that a perfect
    image stays finite.
    """
    error = (image - target).square().mean(dim=(1, 2, 3))
    return -10 * torch.log10(error + ROUNDING_VARIANCE)


def draw(
    high: Tensor, degrade: Callable[[Tensor], Tensor], recipe: Recipe, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """A random batch of pairs as floats in [0, 1]: recoloured, reduced, cropped, flipped, transposed at random.

    Both images of a pair are changed alike, which suits degradations that are symmetric in space and colour.
    """
    chosen = torch.randint(len(high), (recipe.batch,), generator=generator)
    colours = torch.randperm(3, generator=generator)
    flips = torch.randint(2, (3,), generator=generator).tolist()
    images = high[chosen][:, colours] if recipe.recolour else high[chosen]
    if recipe.sides:
        images = _reduce(images, recipe.sides, generator)
    if recipe.crop:
        images = _crop(images, recipe.crop, generator)
    return _augment(images, flips), _augment(degrade(images), flips)


def _reduce(images: Tensor, sides: tuple[int, ...], generator: torch.Generator) -> Tensor:
    side = sides[int(torch.randint(len(sides), (), generator=generator))]
    if side == images.shape[2]:
        return images
    reduced = F.interpolate(images.float(), size=(side, side), mode="bicubic", antialias=True)
    return reduced.round().clamp(0, 255).to(torch.uint8)


def _crop(images: Tensor, crop: int, generator: torch.Generator) -> Tensor:
    side = min(crop, *images.shape[2:])
    top, left = (int(torch.randint(size - side + 1, (), generator=generator)) for size in images.shape[2:])
    return images[:, :, top : top + side, left : left + side]


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
    optimizers: Optimizers,
    generator: torch.Generator,
    progress: Progress,
) -> None:
    state = {
        "recipe": _fields(recipe),
        "network": network.state_dict(),
        "optimizers": optimizers.state(),
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
    optimizers: Optimizers,
    generator: torch.Generator,
) -> Progress:
    if path is None or not path.exists():
        return Progress()
    state = torch.load(path, weights_only=True)
    progress, before = Progress(**state["progress"]), Recipe(**state["recipe"])
    if not _same_so_far(before, recipe, progress.step):
        raise ValueError(f"{path} was made by another recipe: {before}.")
    network.load_state_dict(state["network"])
    optimizers.restore(state["optimizers"])
    generator.set_state(state["generator"])
    return progress


def _same_so_far(before: Recipe, now: Recipe, steps: int) -> bool:
    same_shares = all(before.share_at(step) == now.share_at(step) for step in range(steps))
    return same_shares and replace(before, steps=now.steps) == now


def _fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__slots__}
