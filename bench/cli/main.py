"""The command `upbench`."""

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version

from upbench.bench.cli import (
    advise,
    bench,
    bisect,
    comment,
    diagnose,
    duet,
    gpu,
    methods,
    pictures,
    quality,
    report,
    selfcheck,
    speed,
    train,
)
from upbench.bench.cli.options import EXIT_USAGE, Parser
from upbench.bench.errors import UsageError
from upbench.datasets.source import DataError

COMMANDS = (
    bench,
    methods,
    quality,
    diagnose,
    speed,
    selfcheck,
    gpu,
    duet,
    comment,
    bisect,
    report,
    advise,
    pictures,
    train,
)
INTERRUPTED = 130

EPILOG = """example:
  upbench bench --methods bilinear bicubic --scales 2

exit codes:
  0  all measured
  1  the version gate found a regression
  2  asked for something that cannot be done
  3  some cells failed, or nothing could be measured
"""


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = Parser(
        prog="upbench",
        description="Benchmark ways of upsampling an image in PyTorch: quality, speed, and what to do about it.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"%(prog)s {version('upbench')}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in COMMANDS:
        module.add(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; a user's mistake is one sentence on standard error."""
    arguments = parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
    except (UsageError, DataError) as error:
        print(f"upbench: {error}", file=sys.stderr)
        return EXIT_USAGE
    except OSError as error:
        print(f"upbench: {error.filename or 'a file'}: {error.strerror or error}.", file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:
        print("upbench: interrupted; the same command goes on from here.", file=sys.stderr)
        return INTERRUPTED
    return code


if __name__ == "__main__":
    sys.exit(main())
