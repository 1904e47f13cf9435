"""`upbench train`: make the weights of the learned methods again, from a training split and a seed."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from upbench.bench.cli import options
from upbench.bench.stage import Shown
from upbench.bench.training.request import SCALES, TrainRequest, trainable

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "train",
        help="train the learned methods and write their weights and model card",
        example="upbench train --methods learned-espcn --scales 2 --data DIR --out weights",
    )
    names = parser.add_argument("--methods", nargs="+", metavar="NAME", help="default: all that have weights")
    options.completes(names, trainable)
    parser.add_argument("--scales", nargs="+", type=int, choices=SCALES, help="default: all")
    parser.add_argument("--data", type=Path, metavar="DIR", help="CIFAR-10's batches (or set UPBENCH_DATA)")
    parser.add_argument("--seed", type=int, metavar="N", help="default: 0")
    parser.add_argument(
        "--steps",
        nargs="+",
        type=options.positive,
        metavar="N",
        help="of each cycle of training, or one number for all (default: each method's own)",
    )
    parser.add_argument(
        "--threads", type=options.positive, metavar="N", help="each number rounds differently (default: 1)"
    )
    parser.add_argument("--out", type=Path, default=Path("weights"), metavar="DIR", help="default: weights")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Train each method at each scale; an interrupted run goes on from its checkpoint."""
    request = options.request(TrainRequest, arguments)
    from upbench.bench.training import stage

    return stage.run(request, arguments.out, Shown()).ending
