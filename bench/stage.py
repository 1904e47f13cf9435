"""What every stage is: `run(request, out, progress) -> Outcome`.

A stage takes a request (`upbench.bench.requests`), writes its files into the folder `out`, and says how far it is
through a `Progress`. What it could not measure is a row with its reason. Nothing here knows the command line.
"""

import sys
import warnings
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Protocol

Row = dict[str, Any]


class Ending(IntEnum):
    """How a command ends: its exit code."""

    OK = 0  # all measured
    REGRESSION = 1  # the version gate found a regression
    USAGE = 2  # asked for something that cannot be done
    FAILED = 3  # some cells failed, or nothing could be measured
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A finished stage: its name, every row that was asked for, and how it ended."""

    stage: str
    ending: Ending
    rows: Sequence[Row] = field(default=())


class Bar(Protocol):
    """A bar of a known length."""

    def step(self, note: str = "") -> None:
        """One unit more is done; `note` says which."""


class Progress(Protocol):
    """Where a stage says what it does."""

    def say(self, text: str) -> None:
        """A line about the run itself: what is measured, what came out."""

    def warn(self, text: str) -> None:
        """A line about something that a person should know and that ends nothing."""

    def bar(self, label: str, unit: str, total: int, done: int = 0) -> AbstractContextManager[Bar]:
        """A bar of `total` units, `done` of which an earlier run had finished."""


def concluded(stage: str, rows: Sequence[Row], progress: Progress) -> Outcome:
    """The outcome of rows with `status` and `reason`: says how many there are of each, with each failure's reason."""
    counts = Counter(row["status"] for row in rows)
    progress.say(f"{stage}: {counts['ok']} measured, {counts['skipped']} skipped, {counts['failed']} failed.")
    failures = (row for row in rows if row["status"] == "failed")
    for line in dict.fromkeys(f"  {row.get('method', row.get('cell'))}: {row['reason']}" for row in failures):
        progress.say(line)
    ending = Ending.FAILED if counts["failed"] or not counts["ok"] else Ending.OK
    return Outcome(stage=stage, ending=ending, rows=rows)


class Shown:
    """Progress for people: lines on standard output, warnings and bars on standard error, widgets in a notebook."""

    def say(self, text: str) -> None:
        """Print the line at once."""
        print(text, flush=True)

    def warn(self, text: str) -> None:
        """Print the line at once, with our name before it."""
        print(f"upbench: {text}", file=sys.stderr, flush=True)

    def bar(self, label: str, unit: str, total: int, done: int = 0) -> "AbstractContextManager[Bar]":
        """A tqdm bar; a log gets a line now and then."""
        return _ShownBar(label, unit, total, done)


class _ShownBar:
    def __init__(self, label: str, unit: str, total: int, done: int) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a notebook without widgets gets a plain bar
            from tqdm.auto import tqdm
        seconds = 0.5 if sys.stderr.isatty() else 5.0
        self._bar = tqdm(total=total, initial=done, desc=label, unit=unit, file=sys.stderr, mininterval=seconds)

    def __enter__(self) -> "_ShownBar":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def step(self, note: str = "") -> None:
        """One unit more; the note stands behind the bar."""
        self._bar.set_postfix_str(note, refresh=False)
        self._bar.update()


class Silent:
    """Progress that nobody watches."""

    def say(self, text: str) -> None:
        """Say nothing."""

    def warn(self, text: str) -> None:
        """Say nothing."""

    def bar(self, label: str, unit: str, total: int, done: int = 0) -> "AbstractContextManager[Bar]":
        """A bar that nobody sees."""
        return _SilentBar()


class _SilentBar:
    def __enter__(self) -> "_SilentBar":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def step(self, note: str = "") -> None:
        """Do nothing."""
