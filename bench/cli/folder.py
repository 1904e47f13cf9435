"""The commands that read a finished run's output folder."""

import argparse
from pathlib import Path

from upbench.bench.cli import options
from upbench.bench.errors import UsageError
from upbench.reports import frame


def add_folder(parser: argparse.ArgumentParser) -> None:
    """The folder of a finished run."""
    parser.add_argument(
        "folder", nargs="?", type=Path, default=options.DEFAULT_OUT, metavar="DIR", help="default: %(default)s"
    )


def read(folder: Path) -> frame.Run:
    """What the run measured; raises `UsageError` where the folder cannot be reported on."""
    try:
        return frame.read(folder)
    except frame.ReportError as error:
        raise UsageError(str(error)) from error
