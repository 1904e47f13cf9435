"""Training as a stage: the weights of the learned methods from a training split and a seed, and their model card."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from upbench.bench.errors import UsageError
from upbench.bench.lock import alone_in_its_folder
from upbench.bench.quality import metrics
from upbench.bench.stage import Ending, Outcome, Progress
from upbench.bench.training.request import TrainRequest
from upbench.datasets.catalogue import open_dataset
from upbench.datasets.pairs import degrade
from upbench.methods import card, pretrained
from upbench.methods.learned import RECIPES
from upbench.methods.networks import NETWORKS, VIEWS, in_use
from upbench.methods.training import Recipe, train
from upbench.methods.wiener import Wiener, solve

DEGRADATION = "bicubic"
HELD_OUT = 200  # training images, at most a tenth of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """High-resolution images, what is left of them (both uint8), and a sentence that says what they are."""

    high: Tensor
    low: Tensor
    description: str

    def part(self, part: slice) -> "Pairs":
        """Some of the pairs."""
        return replace(self, high=self.high[part], low=self.low[part])


@alone_in_its_folder
def run(request: TrainRequest, out: Path, progress: Progress) -> Outcome:
    """Train each method at each scale; an interrupted run goes on from its checkpoint."""
    torch.set_num_threads(request.threads)
    out.mkdir(parents=True, exist_ok=True)
    torch.set_flush_denormal(True)  # subnormal numbers make a CPU ten times slower
    try:
        return _run(request, out, progress)
    finally:
        torch.set_flush_denormal(False)


def _run(request: TrainRequest, out: Path, progress: Progress) -> Outcome:
    cycles = {(name, scale): _cycles(name, scale, request) for name in request.methods for scale in request.scales}
    rows = []
    for scale in request.scales:
        pairs, test = (_pairs(split, scale, request.data) for split in ("train", "test"))
        cut = len(pairs.high) - min(HELD_OUT, len(pairs.high) // 10)
        ours, kept_aside = pairs.part(slice(cut)), pairs.part(slice(cut, None))
        for name in request.methods:
            recipes = cycles[name, scale]
            network, facts = _make(name, scale, ours, recipes, request, out)
            facts |= _measure(in_use(name, network), scale, kept_aside, test) | _origin(ours, kept_aside, test)
            pretrained.save(network, pretrained.path(out, name, scale), facts)
            for cycle in range(len(recipes)):
                _checkpoint(out, name, scale, cycle).unlink(missing_ok=True)
            card.write(out)
            progress.say(f"{name} x{scale}: {facts['psnr_test_db']} dB, bicubic {facts['psnr_test_bicubic_db']} dB")
            rows.append(facts)
    return Outcome(stage="train", ending=Ending.OK, rows=rows)


def _pairs(split: str, scale: int, data: Path | None) -> Pairs:
    dataset = open_dataset("cifar10", split=split, data=data)
    high = torch.cat([batch.images for batch in dataset.batches()])
    return Pairs(high=high, low=degrade(high, DEGRADATION, scale), description=dataset.description)


def _cycles(name: str, scale: int, request: TrainRequest) -> list[Recipe]:
    """The recipes of a network, with the seed and the numbers of steps that were asked for; none of `wiener`."""
    recipes = RECIPES.get((name, scale), [])
    steps = list(request.steps) or [recipe.steps for recipe in recipes]
    if len(steps) not in (1, len(recipes)):
        raise UsageError(
            f"{name} x{scale} has {len(recipes)} cycle(s) of training: give --steps one number, or one for each."
        )
    steps = steps * len(recipes) if len(steps) == 1 else steps
    return [replace(recipe, seed=request.seed, steps=n) for recipe, n in zip(recipes, steps, strict=True)]


def _checkpoint(out: Path, name: str, scale: int, cycle: int) -> Path:
    return pretrained.path(out, name, scale).with_suffix(f".{cycle + 1}.checkpoint")


def _make(
    name: str, scale: int, pairs: Pairs, recipes: list[Recipe], request: TrainRequest, out: Path
) -> tuple[nn.Module, dict[str, str]]:
    """A trained network and the facts of its training."""
    command = f"upbench train --methods {name} --scales {scale} --seed {request.seed}"
    if not recipes:
        network, seconds = _solve(pairs, scale)
        facts = {"steps": "closed form", "batch": "all", "rate": "none"}
    else:
        network, seconds = _train(name, scale, pairs, recipes, out)
        steps = [str(recipe.steps) for recipe in recipes]
        facts = {"steps": " + ".join(steps), "batch": str(recipes[-1].batch), "rate": str(recipes[-1].rate)}
        command += f" --steps {' '.join(steps)}"
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return network, facts | {
        "method": name,
        "scale": str(scale),
        "seed": str(request.seed),
        "parameters": str(parameters),
        "views": str(VIEWS.get(name, 1)),
        "seconds": f"{seconds:.0f}",
        "threads": str(request.threads),
        "torch": str(torch.__version__),
        "command": command,
        "licence": "MIT",
    }


def _train(name: str, scale: int, pairs: Pairs, recipes: list[Recipe], out: Path) -> tuple[nn.Module, float]:
    """A network that went through one recipe after another, and the seconds that they took."""
    build: Callable[[], nn.Module] = partial(NETWORKS[name], scale)
    seconds = 0.0
    reduce = partial(degrade, degradation=DEGRADATION, scale=scale)
    for cycle, recipe in enumerate(recipes):
        label = f"{name} x{scale}, cycle {cycle + 1} of {len(recipes)}"
        checkpoint = _checkpoint(out, name, scale, cycle)
        try:
            network, progress = train(build, pairs.high, reduce, recipe, checkpoint=checkpoint, label=label)
        except ValueError as error:
            raise UsageError(f"{error} Remove it, or train with the same seed and steps.") from error
        build = network.train
        seconds += progress.seconds
    return network, seconds


def _solve(pairs: Pairs, scale: int) -> tuple[nn.Module, float]:
    start = time.perf_counter()
    network = Wiener(scale)
    network.filters.data = solve(pairs.high, pairs.low).float()
    return network, time.perf_counter() - start


def _measure(network: nn.Module, scale: int, held_out: Pairs, test: Pairs) -> dict[str, str]:
    def bicubic(low: Tensor) -> Tensor:
        return F.interpolate(low, scale_factor=scale, mode="bicubic")

    return {
        "psnr_held_out_db": f"{_psnr(network, held_out):.3f}",
        "psnr_test_db": f"{_psnr(network, test):.3f}",
        "psnr_test_bicubic_db": f"{_psnr(bicubic, test):.3f}",
    }


def _psnr(upsample: Callable[[Tensor], Tensor], pairs: Pairs) -> float:
    """Mean over the images that are not restored perfectly, in dB, as the quality run has it."""
    values = []
    with torch.inference_mode():
        for high, low in zip(torch.split(pairs.high, 100), torch.split(pairs.low, 100), strict=True):
            made = metrics.to_levels(upsample(low.float() / 255))
            values.append(metrics.psnr_db(metrics.to_levels(high), made))
    decibels = torch.cat(values)
    return decibels[decibels.isfinite()].mean().item()


def _origin(train_pairs: Pairs, held_out: Pairs, test: Pairs) -> dict[str, str]:
    return {
        "train_data": train_pairs.description,
        "train_images": str(len(train_pairs.high)),
        "held_out_images": str(len(held_out.high)),
        "test_data": test.description,
        "degradation": DEGRADATION,
    }
