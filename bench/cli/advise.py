"""`upbench advise`: which method to use, from an output folder's measurements."""

import argparse
import math
from typing import TYPE_CHECKING

from upbench.bench.cli import folder, options
from upbench.bench.errors import UsageError
from upbench.reports import advice, tables

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands,
        "advise",
        help="say which methods nothing beats in both quality and speed, from a finished run",
        example="upbench advise --workload image --device cpu --min-psnr 26",
    )
    folder.add_folder(parser)
    parser.add_argument("--workload", default="image", metavar="NAME", help="default: %(default)s")
    parser.add_argument("--min-psnr", type=float, default=-math.inf, metavar="DB", help="leave out lower PSNR")
    options.add_device(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the front as a table and in sentences, and the faster names of the same pixels."""
    found = folder.read(arguments.folder)
    speed = found.speed[found.speed["device"] == arguments.device] if len(found.speed) else found.speed
    points = advice.candidates(found.quality, speed, arguments.workload)
    if points.empty:
        raise UsageError(
            f"{arguments.folder} has no quality and speed of the same methods for {arguments.workload} on"
            f" {arguments.device}; run `upbench bench --workloads {arguments.workload} --device {arguments.device}`."
        )
    front = advice.front(points, arguments.min_psnr)
    if front.empty:
        best = points["psnr_db"].max()
        raise UsageError(f"No method reaches {arguments.min_psnr:g} dB here; the best has {best:.2f} dB.")
    shown = front.assign(ms=front["seconds"] * 1e3)[["method", "psnr_db", "ssim", "ms"]]
    print(tables.markdown(shown, {"psnr_db": ".2f", "ssim": ".4f", "ms": ".3g"}), end="\n\n")
    for line in [*advice.sentences(front), *advice.switch_sentences(points)]:
        print(f"- {line}")
    return options.EXIT_OK
