"""How far a number may be trusted: a letter and its reason.

A: the middle half of its samples lies within 2 % of their median, and the process had its core for 98 % of the time.
B: within 5 %, or the core was shared or stolen for up to 10 % of the time, or taken away more than 20 times a second.
C: within 15 %, or shared for up to a third of the time, or taken away 100 times a second, or a GPU slowed down.
D: anything beyond (400 times a second), or fewer than 3 samples. The worst cause decides, and is the reason.
"""

from collections.abc import Iterator, Mapping, Sequence
from statistics import quantiles
from typing import Any

LETTERS = "ABCD"
SPREADS = (0.02, 0.05, 0.15)
SHARED = (0.02, 0.1, 1 / 3)  # of the time
SWITCHES = (20.0, 100.0, 400.0)  # a second
FEWEST = 3


def grade(
    samples: Sequence[float], pressure: Mapping[str, Any] | None = None, throttled: str | None = None
) -> tuple[str, str]:
    """The letter and the reason in a few words.

    `samples` are seconds of one cell, `pressure` is what `upbench.bench.pressure.since` told of it, `throttled` is why
    a GPU slowed down meanwhile.
    """
    if len(samples) < FEWEST:
        return "D", f"{len(samples)} samples"
    spread = relative_spread(samples)
    causes = [(_letter(spread, SPREADS), f"spread {spread:.1%}"), *_disturbances(pressure or {})]
    if throttled:
        causes.append(("C", f"the GPU slowed down: {throttled}"))
    return max(causes, key=lambda cause: cause[0])


def crowded(pressure: Mapping[str, Any]) -> bool:
    """Whether others took so much of the machine that the number is a C or a D for that alone."""
    return any(letter > "B" for letter, _ in _disturbances(pressure))


def _disturbances(pressure: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    shares = {
        "waiting for a core": max(0.0, 1 - (pressure.get("busy") or 1.0)),
        "stolen time": pressure.get("stolen") or 0.0,
    }
    for name, share in shares.items():
        yield _letter(share, SHARED), f"{name} {share:.0%}"
    switches = pressure.get("involuntary_switches") or 0.0
    yield _letter(switches, SWITCHES), f"{switches:.0f} involuntary switches a second"


def relative_spread(samples: Sequence[float]) -> float:
    """The interquartile range over the median."""
    lower, median, upper = quantiles(samples, n=4, method="inclusive")
    return (upper - lower) / median if median else float("inf")


def _letter(value: float, limits: Sequence[float]) -> str:
    return LETTERS[sum(value > limit for limit in limits)]
