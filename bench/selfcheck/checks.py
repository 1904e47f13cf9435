"""A check of a clock: what was expected, what was measured, and how far the two may be apart.

Comparisons are made in several interleaved rounds, and the median of the rounds' ratios counts: a machine that is
busy for a moment disturbs a round and not the verdict.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

CLOCK_LIMIT = 0.02
AGREEMENT_LIMIT = 0.03
NORMAL_MEDIAN = 0.93  # a median's standard error is this times the interquartile range / sqrt(n), for normal errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One row: `expected` and `measured` (of the middle round) in `unit`.

    `error` is the median of the rounds' measured / expected, less 1; `spread` is those ratios' interquartile range,
    and `doubt` twice the median's standard error; `reason` says why a check has not run.
    """

    what: str
    limit: float
    unit: str = "s"
    expected: float | None = None
    measured: float | None = None
    error: float | None = None
    spread: float | None = None
    doubt: float = 0.0
    reason: str = ""

    @property
    def verdict(self) -> str:
        """`ok`, `OFF` (surely beyond the limit), `noisy` (the rounds differ too much to tell), or `not run`."""
        if self.error is None:
            return "not run"
        if abs(self.error) - self.doubt > self.limit:
            return "OFF"
        return "ok" if abs(self.error) <= self.limit and self.doubt <= self.limit else "noisy"


def compared(what: str, pairs: Sequence[tuple[float, float]], limit: float, unit: str = "s") -> Check:
    """A check from rounds of (expected, measured)."""
    low, middle, high = np.percentile([ours / known for known, ours in pairs], [25, 50, 75])
    expected, measured = min(pairs, key=lambda pair: abs(pair[1] / pair[0] - middle))
    return Check(
        what=what,
        limit=limit,
        unit=unit,
        expected=expected,
        measured=measured,
        error=float(middle) - 1,
        spread=float(high - low),
        doubt=2 * NORMAL_MEDIAN * float(high - low) / len(pairs) ** 0.5,
    )
