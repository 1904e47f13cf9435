"""What the commands share: their shape, and options that several of them take."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    SubParsers = argparse._SubParsersAction[argparse.ArgumentParser]

EXIT_OK = 0  # all measured
EXIT_REGRESSION = 1  # the version gate found a regression
EXIT_USAGE = 2  # asked for something that cannot be done
EXIT_FAILED = 3  # some cells failed, or nothing could be measured


def add_command(
    commands: "SubParsers", name: str, *, help: str, example: str
) -> argparse.ArgumentParser:
    """A sub-command's parser, with an example at the end of its `--help`."""
    return commands.add_parser(
        name,
        help=help,
        description=help,
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
