"""The command `upbench`. Nothing here, and nothing that a command imports before it runs, imports torch."""

import argparse
import os
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
    verdict,
)
from upbench.bench.cli.options import Parser
from upbench.bench.errors import UsageError
from upbench.bench.stage import Ending
from upbench.datasets.errors import DataError

COMMANDS = (
    bench,
    methods,
    quality,
    diagnose,
    speed,
    selfcheck,
    gpu,
    duet,
    verdict,
    comment,
    bisect,
    report,
    advise,
    pictures,
    train,
)

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
    top = parser()
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete

        argcomplete.autocomplete(top)
    try:
        arguments = top.parse_args(argv)
        code: int = arguments.run(arguments)
    except (UsageError, DataError) as error:
        return _told(str(error))
    except OSError as error:
        return _told(f"{error.filename or 'a file'}: {error.strerror or error}.")
    except KeyboardInterrupt:
        print("upbench: interrupted; the same command goes on from here.", file=sys.stderr)
        return Ending.INTERRUPTED
    return int(code)


def _told(sentence: str) -> int:
    print(f"upbench: {sentence}", file=sys.stderr)
    return Ending.USAGE


if __name__ == "__main__":
    sys.exit(main())
