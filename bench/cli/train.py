"""`upbench train`: make the weights of the learned methods again, from a training split and a seed."""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from upbench.bench.cli.options import EXIT_OK, add_command, positive
from upbench.bench.errors import UsageError
from upbench.bench.quality import metrics
from upbench.datasets.catalogue import open_dataset
from upbench.datasets.pairs import degrade
from upbench.methods import card, pretrained
from upbench.methods.learned import RECIPES
from upbench.methods.networks import NETWORKS, VIEWS, in_use
from upbench.methods.pretrained import SCALES
from upbench.methods.training import Recipe, train
from upbench.methods.wiener import Wiener, solve

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers

METHODS = [*NETWORKS, "wiener"]
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


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = add_command(
        commands,
        "train",
        help="train the learned methods and write their weights and model card",
        example="upbench train --methods learned-espcn --scales 2 --data DIR --out weights",
    )
    parser.add_argument(
        "--methods", nargs="+", choices=METHODS, default=METHODS, metavar="NAME", help=", ".join(METHODS)
    )
    parser.add_argument("--scales", nargs="+", type=int, choices=SCALES, default=SCALES, help="default: all")
    parser.add_argument("--data", type=Path, metavar="DIR", help="CIFAR-10's batches (or set UPBENCH_DATA)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="default: 0")
    parser.add_argument(
        "--steps",
        nargs="+",
        type=positive,
        metavar="N",
        help="of each cycle of training, or one number for all (default: each method's own)",
    )
    parser.add_argument(
        "--threads", type=positive, default=1, metavar="N", help="each number rounds differently (default: 1)"
    )
    parser.add_argument("--out", type=Path, default=Path("weights"), metavar="DIR", help="default: weights")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Train each method at each scale; an interrupted run goes on from its checkpoint."""
    torch.set_num_threads(arguments.threads)
    arguments.out.mkdir(parents=True, exist_ok=True)
    torch.set_flush_denormal(True)  # subnormal numbers make a CPU ten times slower
    try:
        return _run(arguments)
    finally:
        torch.set_flush_denormal(False)


def _run(arguments: argparse.Namespace) -> int:
    cycles = {
        (name, scale): _cycles(name, scale, arguments) for name in arguments.methods for scale in arguments.scales
    }
    for scale in arguments.scales:
        pairs, test = (_pairs(split, scale, arguments.data) for split in ("train", "test"))
        cut = len(pairs.high) - min(HELD_OUT, len(pairs.high) // 10)
        ours, kept_aside = pairs.part(slice(cut)), pairs.part(slice(cut, None))
        for name in arguments.methods:
            recipes = cycles[name, scale]
            network, facts = _make(name, scale, ours, recipes, arguments)
            facts |= _measure(in_use(name, network), scale, kept_aside, test) | _origin(ours, kept_aside, test)
            pretrained.save(network, pretrained.path(arguments.out, name, scale), facts)
            for cycle in range(len(recipes)):
                _checkpoint(arguments.out, name, scale, cycle).unlink(missing_ok=True)
            card.write(arguments.out)
            print(f"{name} x{scale}: {facts['psnr_test_db']} dB, bicubic {facts['psnr_test_bicubic_db']} dB")
    return EXIT_OK


def _pairs(split: str, scale: int, data: Path | None) -> Pairs:
    dataset = open_dataset("cifar10", split=split, data=data)
    high = torch.cat([batch.images for batch in dataset.batches()])
    return Pairs(high=high, low=degrade(high, DEGRADATION, scale), description=dataset.description)


def _cycles(name: str, scale: int, arguments: argparse.Namespace) -> list[Recipe]:
    """The recipes of a network, with the seed and the numbers of steps that were asked for; none of `wiener`."""
    recipes = RECIPES.get((name, scale), [])
    steps = arguments.steps or [recipe.steps for recipe in recipes]
    if len(steps) not in (1, len(recipes)):
        raise UsageError(
            f"{name} x{scale} has {len(recipes)} cycle(s) of training: give --steps one number, or one for each."
        )
    steps = steps * len(recipes) if len(steps) == 1 else steps
    return [replace(recipe, seed=arguments.seed, steps=n) for recipe, n in zip(recipes, steps, strict=True)]


def _checkpoint(out: Path, name: str, scale: int, cycle: int) -> Path:
    return pretrained.path(out, name, scale).with_suffix(f".{cycle + 1}.checkpoint")


def _make(
    name: str, scale: int, pairs: Pairs, recipes: list[Recipe], arguments: argparse.Namespace
) -> tuple[nn.Module, dict[str, str]]:
    """A trained network and the facts of its training."""
    command = f"upbench train --methods {name} --scales {scale} --seed {arguments.seed}"
    if not recipes:
        network, seconds = _solve(pairs, scale)
        facts = {"steps": "closed form", "batch": "all", "rate": "none"}
    else:
        network, seconds = _train(name, scale, pairs, recipes, arguments.out)
        steps = [str(recipe.steps) for recipe in recipes]
        facts = {"steps": " + ".join(steps), "batch": str(recipes[-1].batch), "rate": str(recipes[-1].rate)}
        command += f" --steps {' '.join(steps)}"
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return network, facts | {
        "method": name,
        "scale": str(scale),
        "seed": str(arguments.seed),
        "parameters": str(parameters),
        "views": str(VIEWS.get(name, 1)),
        "seconds": f"{seconds:.0f}",
        "threads": str(arguments.threads),
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
