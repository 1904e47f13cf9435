"""The commands that read a finished run's output folder."""

import argparse
from pathlib import Path

from upbench.reports.request import DEFAULT_FOLDER


def add_folder(parser: argparse.ArgumentParser) -> None:
    """The folder of a finished run."""
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR", help=f"default: {DEFAULT_FOLDER}")
