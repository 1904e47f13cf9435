"""What the commands share: the shape of a command, options that several of them take, and the way to a request.

An option that is not given is not in the namespace: its default stands in the request and nowhere else.
"""

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from upbench.bench.adapters import discover
from upbench.bench.cells import DTYPES, LARGEST_SCALE, MEMORY_FORMATS, MODES, STEPS, WORKLOADS
from upbench.bench.requests import Request
from upbench.bench.stage import Ending
from upbench.bench.workers.launch import ALLOCATORS
from upbench.datasets.names import DEGRADATIONS, SPLITS

if TYPE_CHECKING:
    SubParsers = argparse._SubParsersAction[argparse.ArgumentParser]

DEFAULT_OUT = Path("reports/out")
Asked = TypeVar("Asked", bound=Request)


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one sentence, as every other of ours, and not the whole usage before it."""

    def __init__(self, **named: Any) -> None:
        """As `argparse.ArgumentParser`; options that are not given stay absent."""
        super().__init__(**({"argument_default": argparse.SUPPRESS} | named))

    def error(self, message: str) -> NoReturn:
        """Say what is wrong on standard error and exit with the usage code."""
        self.exit(Ending.USAGE, f"upbench: {message}; see {self.prog} --help.\n")


def request(kind: type[Asked], arguments: argparse.Namespace) -> Asked:
    """The request that the options given make; raises `UsageError` where it cannot be meant."""
    given = vars(arguments)
    return kind(**{field.name: given[field.name] for field in dataclasses.fields(kind) if field.name in given})


def add_command(commands: "SubParsers", name: str, *, help: str, example: str) -> argparse.ArgumentParser:
    """A sub-command's parser, with an example at the end of its `--help`."""
    return commands.add_parser(
        name,
        help=help,
        description=help,
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def positive(text: str) -> int:
    """An argument that is a whole number of at least 1."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 1")
    return number


def scale_factor(text: str) -> int:
    """An argument that is a whole number from 1 to 16: beyond that, memory is what would be measured."""
    if positive(text) > LARGEST_SCALE:
        raise argparse.ArgumentTypeError(f"{text} is too large a scale factor; {LARGEST_SCALE} is the largest")
    return int(text)


def completes(option: argparse.Action, names: Any) -> None:
    """Offer names at the tab key (argcomplete looks at this attribute)."""
    option.completer = lambda **_: list(names() if callable(names) else names)  # type: ignore[attr-defined]


def add_methods(parser: argparse.ArgumentParser) -> None:
    """`--methods` and `--method`."""
    named = parser.add_argument(
        "--methods", nargs="+", metavar="NAME", help="methods by name (default: all; see upbench list)"
    )
    completes(named, discover)
    parser.add_argument(
        "--method",
        action="append",
        metavar="FILE.py:FACTORY",
        help="a method of your own, from a file or MODULE:FACTORY; may be given several times",
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """`--device`."""
    completes(parser.add_argument("--device", help="cpu, cuda or cuda:N (default: cpu)"), ("cpu", "cuda"))


def add_dtypes(parser: argparse.ArgumentParser) -> None:
    """`--dtypes`."""
    parser.add_argument("--dtypes", nargs="+", choices=DTYPES, help="default: float32")


def add_scales(parser: argparse.ArgumentParser) -> None:
    """`--scales`."""
    parser.add_argument("--scales", nargs="+", type=scale_factor, metavar="S", help="scale factors (default: 2)")


def add_out(parser: argparse.ArgumentParser) -> None:
    """`--out`."""
    parser.add_argument(
        "--out", type=Path, default=DEFAULT_OUT, metavar="DIR", help="output folder (default: %(default)s)"
    )


def add_quality_options(parser: argparse.ArgumentParser) -> None:
    """What to upsample and how it was made small."""
    group = parser.add_argument_group("quality")
    group.add_argument("--dataset", help="auto, cifar10, photos, folder:DIR or array:FILE.npy (default: auto)")
    group.add_argument("--split", choices=SPLITS, help="default: test")
    group.add_argument("--data", type=Path, metavar="DIR", help="folder of CIFAR-10's batches (or set UPBENCH_DATA)")
    group.add_argument("--limit", type=positive, metavar="N", help="use the first N images only")
    degradations = group.add_argument(
        "--degradations",
        nargs="+",
        metavar="NAME",
        help=f"how low-resolution images are made: {' '.join(DEGRADATIONS)} (default: bicubic)",
    )
    completes(degradations, DEGRADATIONS)
    group.add_argument("--per-image", action="store_true", help="also write quality-per-image.csv")


def add_speed_options(parser: argparse.ArgumentParser) -> None:
    """Which shapes, types and steps to time, and for how long."""
    group = parser.add_argument_group("speed")
    workloads = group.add_argument(
        "--workloads",
        nargs="+",
        metavar="NAME",
        help="cifar image feature single big big-feature, or a shape NxCxHxW (default: cifar image)",
    )
    completes(workloads, WORKLOADS)
    group.add_argument("--memory-formats", nargs="+", choices=MEMORY_FORMATS, help="default: contiguous")
    group.add_argument("--modes", nargs="+", choices=MODES, help="default: eager")
    group.add_argument(
        "--pass",
        nargs="+",
        choices=STEPS,
        dest="passes",
        help="forward, or train for forward and backward (default: forward)",
    )
    group.add_argument("--threads", nargs="+", type=positive, metavar="N", help="CPU threads (default: 1)")
    group.add_argument(
        "--allocator", choices=ALLOCATORS, help="memory held still, or plain as in a user's process (default: held)"
    )
    group.add_argument("--seconds", type=float, metavar="T", help="time to spend on each cell (default: 0.1)")
    group.add_argument("--time-limit", type=float, metavar="T", help="seconds after which a cell fails (default: 600)")
