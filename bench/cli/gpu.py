"""`upbench gpu`: everything there is to measure on a GPU, inside a given time, and the report."""

import argparse
import time
from typing import TYPE_CHECKING

from upbench.bench.adapters import discover
from upbench.bench.cells import Cell
from upbench.bench.cli import options, quality, report, selfcheck, speed

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers

WORKLOADS = ["big", "big-feature", "image", "cifar", "feature", "single"]
CHOSEN = (
    *("nearest", "bilinear", "bicubic", "polyphase-bilinear", "polyphase-bicubic", "polyphase-lanczos3"),
    *("triton-polyphase-bilinear", "triton-polyphase-bicubic", "triton-polyphase-lanczos3"),
)
ARRAYS = {"pillow", "opencv", "skimage", "scipy"}  # families of methods that never touch the GPU
SPEED_SHARE, SWEEP_SHARE = 0.75, 0.92  # of the time, at which these stages begin no further cell
NOTE = """
  upbench gpu --minutes 20 --out measured

what it measures, in this order, as far as the time allows:
  the self-check of the clocks; quality on the embedded photos; speed of every method on six workloads in float32;
  of a few methods in float16, bfloat16 and uint8, in channels_last, forward and backward, and compiled; a sweep over
  batch sizes.
It needs no network. Cells that the time did not reach are rows that say so. It has not run on a GPU yet.

exit codes:
  0  all measured
  2  there is no such device
  3  some cells failed, or the self-check did"""


def add(commands: "SubParsers") -> None:
    """Register the command."""
    parser = options.add_command(
        commands, "gpu", help="the whole GPU part inside ten minutes, and the report", example=f"upbench gpu{NOTE}"
    )
    parser.add_argument("--device", default="cuda", help="cuda or cuda:N (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=9.5, metavar="T", help="default: %(default)s")
    options.add_methods(parser)
    options.add_out(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the stages and write the report; the worst exit code counts."""
    options.device(arguments.device)
    start, seconds = time.time(), 60 * arguments.minutes
    base = _stage_arguments(arguments)
    codes = [selfcheck.run(base), quality.run(base)]
    codes.append(speed.stage(cells(base), base, "speed", until=start + SPEED_SHARE * seconds))
    codes.append(speed.stage(batches(base), base, "sweep", until=start + SWEEP_SHARE * seconds))
    codes.append(report.run(argparse.Namespace(folder=arguments.out)))
    print(f"gpu: {(time.time() - start) / 60:.1f} minutes.")
    return max(codes)


def cells(base: argparse.Namespace) -> list[Cell]:
    """Every method in float32 first; then the other axes, one at a time, on the methods of interest; compiling last."""
    chosen = {"methods": _chosen(base), "workloads": ["big", "big-feature"]}
    asked = [
        _planned(base),
        _planned(base, **chosen, dtypes=["float16", "bfloat16", "uint8"]),
        _planned(base, **chosen, memory_formats=["channels_last"]),
        _planned(base, **chosen | {"methods": _differentiated(base)}, steps=["train"]),
        _planned(base, **chosen, modes=["compile"]),
    ]
    return list(dict.fromkeys(cell for part in asked for cell in part))


def batches(base: argparse.Namespace) -> list[Cell]:
    """The chosen methods on growing batches of one picture's and one feature map's size."""
    return speed.swept(_with(base, methods=_chosen(base), workloads=["image", "feature"]), speed.BATCHES)


def _planned(base: argparse.Namespace, **changed: object) -> list[Cell]:
    return speed.planned(_with(base, **changed))


def _with(base: argparse.Namespace, **changed: object) -> argparse.Namespace:
    return argparse.Namespace(**(vars(base) | changed))


def _chosen(base: argparse.Namespace) -> list[str]:
    return [name for name in CHOSEN if name in base.methods] or base.methods


def _differentiated(base: argparse.Namespace) -> list[str]:
    """The chosen methods, and every mode of `nn.Upsample`: the backward passes of some are not deterministic."""
    modes = [name for name, adapter in discover().items() if adapter.family == "interpolate" and name in base.methods]
    return list(dict.fromkeys([*_chosen(base), *modes]))


def _stage_arguments(arguments: argparse.Namespace) -> argparse.Namespace:
    """What `upbench quality` and `upbench speed` would be asked."""
    parser = argparse.ArgumentParser()
    options.add_scales(parser)
    options.add_dtypes(parser)
    options.add_quality_options(parser)
    options.add_speed_options(parser)
    asked = parser.parse_args(["--dataset", "photos", "--workloads", *WORKLOADS])
    return argparse.Namespace(
        **(vars(asked) | vars(arguments) | {"methods": arguments.methods or _own_methods(arguments.method)})
    )


def _own_methods(specs: list[str]) -> list[str]:
    """All methods that work on tensors; beside methods of the user's own, the ones of interest."""
    if specs:
        return list(CHOSEN)
    return [name for name, adapter in discover().items() if adapter.family not in ARRAYS]
