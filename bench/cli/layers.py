"""`upbench layers`: the same small network trained with each upsampling layer."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from upbench.bench.cli import options
from upbench.bench.layers.contract import installed
from upbench.bench.layers.request import FAIRNESS, INITIALISATIONS, TASKS, LayersRequest
from upbench.bench.stage import Shown

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers

NUMBERS = {
    "seeds": "trainings of each layer (default: 5)",
    "sensitivity-seeds": "of these for the other initialisation and learning rates (default: 2)",
    "steps": "of a training (default: 300, on a GPU 3000)",
    "width": "channels of the layer (default: 16, on a GPU 64)",
    "batch": "images of a step (default: 16)",
    "jobs": "trainings at the same time, one thread each (default: 2)",
}


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "layers",
        help="train the same small network with each upsampling layer, over seeds, and write layers.csv",
        example="upbench layers --layers nearest+conv3 transposed-k4 pixel-shuffle --seeds 3 --steps 200",
    )
    named = parser.add_argument("--layers", nargs="+", metavar="NAME", help="layers by name (default: all)")
    options.completes(named, installed)
    parser.add_argument(
        "--layer",
        action="append",
        metavar="FILE.py:FACTORY",
        help="a layer of your own, factory(channels, scale) -> nn.Module; may be given several times",
    )
    for name, choices in (("tasks", TASKS), ("fairness", FAIRNESS), ("initialisations", INITIALISATIONS)):
        parser.add_argument(f"--{name}", nargs="+", choices=choices, help="default: all")
    rates = "learning rates; the first is the tables' (default: 0.002 0.0005 0.008)"
    parser.add_argument("--rates", nargs="+", type=float, metavar="R", help=rates)
    for name, text in NUMBERS.items():
        parser.add_argument(f"--{name}", type=options.positive, metavar="N", help=text)
    parser.add_argument("--dataset", help="auto, cifar10 or photos (default: auto)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of CIFAR-10's batches (or set UPBENCH_DATA)")
    options.add_device(parser)
    parser.add_argument(
        "--budget", type=float, metavar="SECONDS", help="begin no training after it; run again to go on"
    )
    parser.add_argument("--time-limit", type=float, metavar="SECONDS", help="of one training (default: 600)")
    options.add_out(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Train, and write the files and their page."""
    request = options.request(LayersRequest, arguments)
    from upbench.bench.layers import stage
    from upbench.reports import layers_page

    outcome = stage.run(request, arguments.out, Shown())
    print(f"report: {layers_page.write(arguments.out)}")
    return outcome.ending
