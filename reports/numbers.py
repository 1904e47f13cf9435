"""Numbers as people read them: rounded by their uncertainty, with their unit."""

import math

from upbench.reports.survey import Time


def significant(value: float, digits: int = 3) -> str:
    """A number to so many digits, large ones in full with commas: 0.377, 41.2, 2,354."""
    if not math.isfinite(value):
        return ""
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    rounded = round(value, decimals)
    moved = max(0, digits - 1 - math.floor(math.log10(abs(rounded)))) if rounded else decimals
    return f"{rounded:,.{moved}f}"


def seconds(value: float) -> str:
    """A time in the unit that suits it."""
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if value * factor >= (10 if unit == "s" else 0.1 if unit == "ms" else 0):
            return f"{significant(value * factor)} {unit}"
    return f"{value * 1e9:.0f} ns"


def milliseconds(value: float) -> str:
    """A time in milliseconds without the unit, as a column shows it."""
    return significant(value * 1e3)


def time(found: Time, *, unit: bool = True) -> str:
    """A time, and the range of the middle half of its samples where the median alone would mislead."""
    digits = 2 if found.wide else 3
    middle = significant(found.middle * 1e3, digits) + (" ms" if unit else "")
    if not found.wide:
        return middle
    return f"{middle} ({significant(found.low * 1e3, 2)} to {significant(found.high * 1e3, 2)})"


def decibels(value: float) -> str:
    """A PSNR."""
    return f"{value:.2f}" if math.isfinite(value) else ""


def difference(value: float) -> str:
    """A difference in dB with its sign."""
    return f"{value:+.2f}".replace("-", "−") if abs(value) >= 0.005 else "±0.00"


def times(ratio: float) -> str:
    """A ratio of times: 16.5×, 1.8×, 378×."""
    return f"{significant(ratio, 2 if ratio < 10 else 3)}×"


def factor(slower: Time, faster: Time) -> str:
    """How many times as long, and the range that the quartiles leave where that is wide."""
    low, high = slower.low / faster.high, slower.high / faster.low
    middle = times(slower.middle / faster.middle)
    return f"{middle} ({times(low)[:-1]} to {times(high)[:-1]})" if high > 1.2 * low else middle
