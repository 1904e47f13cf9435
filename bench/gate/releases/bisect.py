"""Which release changed a cell's time or pixels: duets of the last good release with those between.

A change of time is found by halving: a release belongs to the bad side when its ratio to the good one is beyond
half of the whole change (in log). A change of pixels is found the same way from the images alone.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from upbench.bench.errors import FailedError

Record = dict[str, Any]
Compare = Callable[[str, float], Record]  # a release and a threshold to the cell's row against the good one


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Between `before` and `after` something changed by `amount` (a ratio of time, or a difference of pixels)."""

    what: str
    before: str
    after: str
    amount: float


def find_changes(releases: Sequence[str], threshold: float, compare: Compare) -> list[Change]:
    """The changes of time and of pixels from the first release to the last.

    Raises `FailedError` where a comparison that is needed stays open.
    """
    whole = compare(releases[-1], threshold)
    found = []
    if whole["verdict"] in ("SLOWER", "FASTER"):
        half = math.expm1(abs(math.log(whole["ratio"])) / 2)
        found.append(_halve(releases, "time", whole["ratio"], lambda name: _is_bad_time(compare(name, half), name)))
    elif whole["verdict"] != "SAME":
        raise FailedError(f"{releases[-1]} against {releases[0]} is {whole['verdict']}: {whole['reason']}")
    if changed(whole):
        amount = whole["pixels"]["largest"]
        found.append(_halve(releases, "pixels", amount, lambda name: changed(compare(name, threshold))))
    return found


def changed(row: Record) -> bool:
    """Whether the pixels differ by more than rounding."""
    return bool(row["pixels"] and row["pixels"]["status"] == "CHANGED")


def _is_bad_time(row: Record, name: str) -> bool:
    if row["verdict"] not in ("SLOWER", "FASTER", "SAME"):
        raise FailedError(f"{name} is {row['verdict']}: {row['reason']}")
    return bool(row["verdict"] != "SAME")


def _halve(releases: Sequence[str], what: str, amount: float, is_bad: Callable[[str], bool]) -> Change:
    """Narrow down to two neighbours; the first release is good and the last is bad."""
    good, bad = 0, len(releases) - 1
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (good, middle) if is_bad(releases[middle]) else (middle, bad)
    return Change(what=what, before=releases[good], after=releases[bad], amount=amount)


def minor_releases(good: str, bad: str) -> list[str]:
    """`2.11.0` to `2.15.0` as every `2.N.0` between, ends as given; both need the same major version.

    Raises `FailedError` for anything else.
    """
    ends = [release.split(".") for release in (good, bad)]
    if any(len(parts) < 2 or not parts[0].isdigit() or not parts[1].isdigit() for parts in ends):
        raise FailedError(f"{good} and {bad} are no two releases; give them all with --releases.")
    (major, low), (other, high) = ((int(parts[0]), int(parts[1])) for parts in ends)
    if major != other or low >= high:
        raise FailedError(f"{good} is not an earlier release than {bad}; give them all with --releases.")
    return [good, *(f"{major}.{minor}.0" for minor in range(low + 1, high)), bad]


def script(cell: str, method: str, change: Change) -> str:
    """Shell commands that show the change again."""
    method_option = f"--method {method}" if ":" in method else f"--methods {method}"
    _, scale, workload, device, dtype, *_ = cell.split("/")
    return (
        "pip install upbench\n"
        f"upbench duet --baseline {change.before} --candidate {change.after} {method_option}"
        f" --workloads {workload} --scales {scale[1:]} --device {device} --dtypes {dtype}\n"
    )
