"""From log ratios to verdicts: one number for each pair of processes, whose blocks are not independent.

A ratio is candidate seconds / baseline seconds: above 1 is slower. A cell is *flagged* when, with
false-discovery control over all cells (Benjamini & Hochberg, 1995), its ratio is beyond the threshold; it is
SLOWER or FASTER only after fresh pairs, which took no part in flagging it, confirm that at one of a few looks
fixed beforehand, or at one more when the budget ends; all of them share the error. Statistics over process pairs:
Kalibera & Jones, ISMM 2013.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

CONFIDENCE = 0.95
DISCOVERY_RATE = 0.1  # of flagging: one flagged cell in ten may be false, and fresh pairs then decide
TRIMMED = 0.1  # of the pairs, at each end
MIN_PAIRS = 5  # before anything is said of a cell
FEW_PAIRS = 10  # below it their spread may be far too small by chance
# Fresh pairs at which a flagged cell may be confirmed; these looks and a last one, at the end, share the error.
LOOKS = (6, 10, 16, 26, 45, 150)
BIMODAL_PAIRS = 8  # before a cell can be called bimodal
BIMODAL_MEMBERS = 3
BIMODAL_APART = 5.0  # between the means of two groups, in standard deviations inside them
BIMODAL_GAP = 2.0  # between their nearest members, likewise
POWER = 0.95
CHANCE = 0.8  # of a verdict after as many pairs as we say it takes
MOST_PAIRS = 300  # beyond them we do not promise one


class Verdict(str, Enum):
    """What is said of a cell, worst first."""

    SLOWER = "SLOWER"
    FAILED = "FAILED"
    BIMODAL = "BIMODAL"
    UNRESOLVED = "UNRESOLVED"
    FASTER = "FASTER"
    SAME = "SAME"
    SKIPPED = "SKIPPED"


OPEN = (Verdict.UNRESOLVED, Verdict.BIMODAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Trimmed mean log ratio over process pairs, its standard error, and the number of `pairs` that is left.

    From ten pairs on the lowest and the highest tenth are trimmed, so that a neighbour's burst of work in a pair or two
    does not decide; the error is that of Yuen ("The two-sample trimmed t for unequal population variances",
    Biometrika 1974): from the winsorised variance, with a t of as many degrees of freedom as values are left,
    less one.
    """

    mean: float
    error: float
    pairs: int

    @classmethod
    def of(cls, log_ratios: Sequence[float]) -> "Estimate":
        """The estimate from one log ratio per process pair; with fewer than 2 the error is infinite."""
        values = np.sort(np.asarray(log_ratios, dtype=np.float64))
        if len(values) < 2:
            return cls(mean=float(values.sum()), error=math.inf, pairs=len(values))
        cut = int(TRIMMED * len(values))
        mean, error = trimmed(values, cut)
        return cls(mean=mean, error=error, pairs=len(values) - 2 * cut)

    def reach(self, confidence: float = CONFIDENCE) -> float:
        """Half the width of the two-sided t interval, in log ratio: the noise floor at this many pairs."""
        return self.error * quantile((1 + confidence) / 2, self.pairs)

    def interval(self) -> tuple[float, float]:
        """The ratio's confidence interval."""
        return math.exp(self.mean - self.reach()), math.exp(self.mean + self.reach())

    def beyond(self, threshold: float) -> float:
        """The p-value of "the ratio is within the threshold": one-sided in its own direction, doubled."""
        distance = abs(self.mean) - math.log1p(threshold)
        if not math.isfinite(self.error):
            return 1.0
        if self.error == 0:
            return 1.0 if distance <= 0 else 0.0
        from scipy import special  # what only a comparison needs

        return min(1.0, 2 * float(special.stdtr(self.pairs - 1, -distance / self.error)))

    def detectable(self, threshold: float) -> float:
        """The smallest true slowdown (0.05 is 5 %) that as many pairs tell from `threshold` 19 times in 20."""
        needed = self.reach() + self.error * quantile(POWER, self.pairs)
        return math.expm1(math.log1p(threshold) + needed)


def trimmed(values: "np.ndarray[tuple[int], np.dtype[np.float64]]", cut: int) -> tuple[float, float]:
    """The mean of sorted values without `cut` at each end, and its standard error, which is Yuen's (`Estimate`)."""
    kept = values[cut : len(values) - cut]
    spread = float(np.clip(values, kept[0], kept[-1]).std(ddof=1))
    return float(kept.mean()), spread * math.sqrt(len(values)) / len(kept)


@functools.cache
def quantile(probability: float, pairs: int) -> float:
    """Of Student's t over so many values; infinite for one."""
    from scipy import special

    return float(special.stdtrit(pairs - 1, probability)) if pairs > 1 else math.inf


def flagged(estimates: Sequence[Estimate], threshold: float) -> list[bool]:
    """Which cells are beyond the threshold, at a false-discovery rate of 10 % over all of them."""
    if not estimates:
        return []
    from scipy import stats

    ready = [each.beyond(threshold) if each.pairs >= MIN_PAIRS else 1.0 for each in estimates]
    return [bool(value <= DISCOVERY_RATE) for value in stats.false_discovery_control(ready)]


def inside(estimate: Estimate, threshold: float, doubts: Sequence[float] = ()) -> bool:
    """Whether the interval lies wholly within the threshold on both sides.

    A few pairs may happen to agree more closely than their own blocks allow (a planted 5 % was once called the same for
    that); so the error of a few is at least what their `doubts` make it.
    """
    if estimate.pairs < MIN_PAIRS:
        return False
    few = doubts if len(doubts) < FEW_PAIRS else ()
    error = max(estimate.error, math.hypot(*few) / max(1, len(few)))
    return abs(estimate.mean) + error * quantile((1 + CONFIDENCE) / 2, estimate.pairs) < math.log1p(threshold)


def confirmed(fresh: Sequence[float], sign: int, threshold: float, *, last: bool = False) -> bool:
    """Whether fresh log ratios are beyond the threshold, in the flagged direction, at one of the looks.

    `last` looks at all of them once more: nothing else is coming.
    """
    passed = [look for look in LOOKS if look <= len(fresh)]
    if last and len(fresh) >= MIN_PAIRS:
        passed.append(len(fresh))
    return any(_confirmed_at(fresh[:look], sign, threshold) for look in passed)


def _confirmed_at(fresh: Sequence[float], sign: int, threshold: float) -> bool:
    estimate = Estimate.of([sign * value for value in fresh])
    return estimate.mean - estimate.error * quantile(_level(), estimate.pairs) > math.log1p(threshold)


def _level() -> float:
    """One-sided, of one look among all."""
    return 1 - (1 - CONFIDENCE) / 2 / (len(LOOKS) + 1)


def pairs_needed(log_ratios: Sequence[float], threshold: float) -> int | None:
    """How many pairs would tell, four times in five, if mean and spread stay as these have them.

    None where more than 300 would be needed: the ratio lies on the threshold, or its spread is too large.
    """
    estimate = Estimate.of(log_ratios)
    distance = abs(abs(estimate.mean) - math.log1p(threshold))
    spread = estimate.error * math.sqrt(max(1, estimate.pairs))
    level = _level() if abs(estimate.mean) > math.log1p(threshold) else (1 + CONFIDENCE) / 2
    for pairs in range(MIN_PAIRS, MOST_PAIRS + 1):
        left = pairs - 2 * int(TRIMMED * pairs)
        if spread / math.sqrt(left) * (quantile(level, left) + quantile(CHANCE, left)) < distance:
            return pairs
    return None


def groups(log_ratios: Sequence[float]) -> tuple[list[float], list[float]] | None:
    """The two groups that process pairs fall into, or None where there is one.

    The best split into groups of at least three pairs; they count as two when their means are at least 2 %
    and five standard deviations apart, with an empty gap of two (halves of a normal sample: 2.6 apart).
    """
    values = np.sort(np.asarray(log_ratios, dtype=np.float64))
    if len(values) < BIMODAL_PAIRS:
        return None
    cut = min(
        range(BIMODAL_MEMBERS, len(values) - BIMODAL_MEMBERS + 1),
        key=lambda cut: _scatter(values[:cut]) + _scatter(values[cut:]),
    )
    low, high = values[:cut], values[cut:]
    within = math.sqrt((_scatter(low) + _scatter(high)) / (len(values) - 2))
    apart, gap = float(high.mean() - low.mean()), float(high[0] - low[-1])
    if apart < max(0.02, BIMODAL_APART * within) or gap < BIMODAL_GAP * within:
        return None
    return low.tolist(), high.tolist()


def _scatter(values: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> float:
    return float(((values - values.mean()) ** 2).sum())
