"""The command `upbench`. Nothing here, and nothing that a command imports before it runs, imports torch."""

import argparse
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from importlib.metadata import version

from upbench.bench.cli import (
    advise,
    atlas,
    bench,
    bisect,
    code,
    comment,
    deploy,
    diagnose,
    duet,
    fleet,
    gpu,
    layers,
    merge,
    methods,
    pictures,
    quality,
    report,
    selfcheck,
    speed,
    train,
    trial,
    verdict,
    watch,
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
    deploy,
    selfcheck,
    gpu,
    layers,
    duet,
    verdict,
    watch,
    comment,
    bisect,
    atlas,
    report,
    merge,
    advise,
    code,
    pictures,
    train,
    trial,
    fleet,
)

EPILOG = """example:
  upbench bench --methods bilinear bicubic --scales 2

exit codes:
  0  all measured
  1  the version gate found a regression
  2  asked for something that cannot be done
  3  some cells failed, or nothing could be measured
  130, 143, 129  interrupted (Ctrl-C, SIGTERM, SIGHUP): the same command goes on where it was
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
        with _interruptions():
            arguments = top.parse_args(argv)
            code: int = arguments.run(arguments)
    except (UsageError, DataError) as error:
        return _told(str(error))
    except OSError as error:
        return _told(f"{error.filename or 'a file'}: {error.strerror or error}.")
    except KeyboardInterrupt as interrupted:
        print("upbench: interrupted; the same command goes on from here.", file=sys.stderr)
        return 128 + (interrupted.args[0] if interrupted.args else signal.SIGINT)
    return int(code)


@contextlib.contextmanager
def _interruptions() -> Iterator[None]:
    """SIGTERM and SIGHUP end a run as Ctrl-C does: workers end, and what was measured is kept."""
    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, _interrupt) for number in (getattr(signal, name) for name in names)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt(number)


def _told(sentence: str) -> int:
    print(f"upbench: {sentence}", file=sys.stderr)
    return Ending.USAGE


if __name__ == "__main__":
    sys.exit(main())
