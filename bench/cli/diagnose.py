"""`upbench diagnose`: what a mean PSNR hides, measured on synthetic targets."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

import pandas as pd
from tqdm import tqdm

from upbench.bench.adapters import select
from upbench.bench.cli import options
from upbench.bench.diagnosis.targets import COLUMNS, diagnose
from upbench.bench.store import replacing

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "diagnose",
        help="measure shift, gain, overshoot, checkerboard and frequency response, and write diagnostics.csv",
        example="upbench diagnose --methods bicubic bicubic-align-corners transposed-random",
    )
    options.add_methods(parser)
    options.add_scales(parser)
    options.add_device(parser)
    options.add_out(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure every method at every scale; write `diagnostics.csv` and `response.csv`."""
    device = options.device(arguments.device)
    tasks = [(a, s) for s in arguments.scales for a in select(arguments.methods, arguments.method)]
    rows: list[dict[str, Any]] = []
    responses: list[dict[str, Any]] = []
    for adapter, scale in tqdm(tasks, desc="diagnose", unit="row", file=sys.stderr, mininterval=0.5):
        row, response = diagnose(adapter, scale, device)
        rows.append(row)
        responses += response
    with replacing(arguments.out / "diagnostics.csv") as temporary:
        pd.DataFrame(rows, columns=list(COLUMNS)).to_csv(temporary, index=False)
    with replacing(arguments.out / "response.csv") as temporary:
        pd.DataFrame(responses, columns=["method", "scale", "frequency", "gain"]).to_csv(temporary, index=False)
    return options.say_outcome(rows, "diagnose")
