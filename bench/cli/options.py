"""What the commands share: exit codes, the shape of a command, and options that several of them take."""

import argparse
import functools
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import torch

from upbench.bench.cells import DTYPES, MEMORY_FORMATS, MODES, STEPS
from upbench.bench.errors import UsageError

if TYPE_CHECKING:
    SubParsers = argparse._SubParsersAction[argparse.ArgumentParser]

EXIT_OK = 0  # all measured
EXIT_REGRESSION = 1  # the version gate found a regression
EXIT_USAGE = 2  # asked for something that cannot be done
EXIT_FAILED = 3  # some cells failed, or nothing could be measured

DEFAULT_OUT = Path("reports/out")
LARGEST_SCALE = 16


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one sentence, as every other of ours, and not the whole usage before it."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong on standard error and exit with the usage code."""
        self.exit(EXIT_USAGE, f"upbench: {message}; see {self.prog} --help.\n")


class Each(argparse.Action):
    """One value or more, each taken once however often it is given."""

    def __init__(self, **named: Any) -> None:
        """As `argparse.Action`, which is told to take a list."""
        super().__init__(nargs="+", **named)

    def __call__(self, parser: argparse.ArgumentParser, namespace: Any, values: Any, option: str | None = None) -> None:
        """Store them in the order given."""
        setattr(namespace, self.dest, list(dict.fromkeys(values)))


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


def add_methods(parser: argparse.ArgumentParser) -> None:
    """`--methods` and `--method`."""
    parser.add_argument("--methods", nargs="+", metavar="NAME", help="methods by name (default: all; see upbench list)")
    parser.add_argument(
        "--method",
        action="append",
        default=[],
        metavar="FILE.py:FACTORY",
        help="a method of your own, from a file or MODULE:FACTORY; may be given several times",
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """`--device`."""
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N (default: %(default)s)")


def add_dtypes(parser: argparse.ArgumentParser) -> None:
    """`--dtypes`."""
    parser.add_argument("--dtypes", action=Each, default=["float32"], choices=DTYPES, help="default: float32")


def add_scales(parser: argparse.ArgumentParser) -> None:
    """`--scales`."""
    parser.add_argument(
        "--scales",
        action=Each,
        type=scale_factor,
        default=[2],
        metavar="S",
        help="scale factors (default: 2)",
    )


def add_out(parser: argparse.ArgumentParser) -> None:
    """`--out`."""
    parser.add_argument(
        "--out", type=Path, default=DEFAULT_OUT, metavar="DIR", help="output folder (default: %(default)s)"
    )


def add_quality_options(parser: argparse.ArgumentParser) -> None:
    """What to upsample and how it was made small."""
    group = parser.add_argument_group("quality")
    group.add_argument("--dataset", default="auto", help="auto, cifar10, photos or folder:DIR (default: auto)")
    group.add_argument("--split", default="test", choices=["train", "test"], help="default: test")
    group.add_argument("--data", type=Path, metavar="DIR", help="folder of CIFAR-10's batches (or set UPBENCH_DATA)")
    group.add_argument("--limit", type=positive, metavar="N", help="use the first N images only")
    group.add_argument(
        "--degradations",
        action=Each,
        default=["bicubic"],
        metavar="NAME",
        help="how low-resolution images are made: bicubic area nearest nearest-exact gaussian (default: bicubic)",
    )
    group.add_argument("--per-image", action="store_true", help="also write quality-per-image.csv")


def add_speed_options(parser: argparse.ArgumentParser) -> None:
    """Which shapes, types and steps to time, and for how long."""
    group = parser.add_argument_group("speed")
    group.add_argument(
        "--workloads",
        action=Each,
        default=["cifar", "image"],
        metavar="NAME",
        help="cifar image feature single big big-feature, or a shape NxCxHxW (default: cifar image)",
    )
    group.add_argument(
        "--memory-formats",
        action=Each,
        default=["contiguous"],
        choices=MEMORY_FORMATS,
        help="default: contiguous",
    )
    group.add_argument("--modes", action=Each, default=["eager"], choices=MODES, help="default: eager")
    group.add_argument(
        "--pass",
        action=Each,
        default=["forward"],
        choices=STEPS,
        dest="steps",
        help="forward, or train for forward and backward (default: forward)",
    )
    group.add_argument(
        "--threads", action=Each, type=positive, default=[1], metavar="N", help="CPU threads (default: 1)"
    )
    group.add_argument(
        "--seconds", type=float, default=0.1, metavar="T", help="time to spend on each cell (default: 0.1)"
    )


@functools.lru_cache(maxsize=8)
def device(name: str) -> torch.device:
    """The device of that name; raises `UsageError` when this torch cannot use it."""
    try:
        wanted = torch.device(name)
    except RuntimeError as error:
        raise UsageError(f"There is no device {name!r}; choose cpu, cuda or cuda:N.") from error
    if wanted.type not in ("cpu", "cuda"):
        raise UsageError(f"upbench measures on cpu and cuda, not on {wanted.type}.")
    if wanted.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (wanted.index or 0) >= count:
            seen = f"{count} CUDA device{'s' if count > 1 else ''}" if count else "no CUDA device"
            raise UsageError(f"This torch sees {seen}, so there is no {name!r}; run with --device cpu.")
    return wanted


def absolute(spec: str) -> str:
    """A spec whose file is found from any folder."""
    source, _, attribute = spec.rpartition(":")
    return f"{Path(source).resolve()}:{attribute}" if source.endswith(".py") else spec


def digests(specs: list[str]) -> dict[str, str]:
    """SHA-256 of each `FILE.py:FACTORY`'s file, so that an edited method is measured anew."""
    files = {spec: Path(spec.rpartition(":")[0]) for spec in specs}
    return {spec: hashlib.sha256(path.read_bytes()).hexdigest() for spec, path in files.items() if path.is_file()}


def say_outcome(rows: list[dict[str, Any]], stage: str) -> int:
    """Print how many rows are ok, skipped and failed, with each failure's reason; returns the exit code."""
    counts = {state: sum(row["status"] == state for row in rows) for state in ("ok", "skipped", "failed")}
    print(f"{stage}: {counts['ok']} measured, {counts['skipped']} skipped, {counts['failed']} failed.")
    reasons = dict.fromkeys(
        f"  {row['method'] if 'method' in row else row['cell']}: {row['reason']}"
        for row in rows
        if row["status"] == "failed"
    )
    for line in reasons:
        print(line)
    return EXIT_FAILED if counts["failed"] or not counts["ok"] else EXIT_OK
