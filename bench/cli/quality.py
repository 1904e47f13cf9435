"""`upbench quality`: PSNR and SSIM of every method over a dataset's high/low pairs."""

import argparse
import sys
from typing import TYPE_CHECKING

from upbench.bench import host
from upbench.bench.adapters import select
from upbench.bench.cli import options
from upbench.bench.quality import stage as quality_stage
from upbench.bench.store import write_json
from upbench.datasets.catalogue import open_dataset
from upbench.datasets.pairs import DEGRADATIONS
from upbench.datasets.source import DataError

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "quality",
        help="measure PSNR and SSIM over high/low-resolution pairs and write quality.csv",
        example="upbench quality --dataset photos --methods bilinear bicubic --scales 2 4",
    )
    options.add_methods(parser)
    options.add_scales(parser)
    options.add_device(parser)
    options.add_dtypes(parser)
    options.add_quality_options(parser)
    options.add_out(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure every row, write the stage's files, and say how many rows failed."""
    device = options.device(arguments.device)
    for name in arguments.degradations:
        if name not in DEGRADATIONS:
            raise DataError(f"There is no degradation {name!r}; choose from {', '.join(DEGRADATIONS)}.")
    tasks = [
        quality_stage.Task(adapter=adapter, degradation=degradation, scale=scale, dtype=dtype)
        for degradation in arguments.degradations
        for scale in arguments.scales
        for dtype in arguments.dtypes
        for adapter in select(arguments.methods, arguments.method)
    ]
    dataset = open_dataset(
        arguments.dataset,
        split=arguments.split,
        data=arguments.data,
        limit=arguments.limit,
        say=lambda text: print(f"upbench: {text}", file=sys.stderr),
    )
    print(f"quality: {dataset.description}, on {device}.", flush=True)
    write_json(arguments.out / "host.json", {"host": host.fingerprint()})
    stage = quality_stage.Stage(tasks, dataset, device, arguments.out)
    rows = stage.measure(options.digests(arguments.method))
    stage.write(rows, per_image=arguments.per_image)
    return options.say_outcome(rows, "quality")
