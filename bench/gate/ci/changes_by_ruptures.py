"""Changes of level over a whole series, by the package ruptures: PELT (Killick, Fearnhead & Eckley, JASA 2012)."""

import math
from collections.abc import Sequence

import numpy as np

from upbench.bench.errors import UsageError
from upbench.bench.gate.ci.changes import CONFIRM, NIGHT_SPREAD, Change, Point, change_at


def find(branch: str, points: Sequence[Point]) -> list[Change]:
    """Every change of a series; each host's own level is taken out first.

    Raises `UsageError` where the package is missing.
    """
    try:
        import ruptures
    except ImportError as error:
        raise UsageError("ruptures is not installed: pip install 'upbench[watch]', or leave --by out.") from error
    if len(points) < 2 * CONFIRM:
        return []
    signal = np.asarray([point.value for point in points])
    for host in {point.host for point in points}:
        mine = [index for index, point in enumerate(points) if point.host == host]
        signal[mine] -= np.median(signal[mine])
    spread = max(NIGHT_SPREAD, float(np.median(np.abs(np.diff(signal)))) / 0.954)
    penalty = 5 * math.log(len(signal))  # in variances of a night
    search = ruptures.Pelt(model="l2", min_size=CONFIRM, jump=1).fit((signal / spread)[:, None])
    cuts = [0, *search.predict(pen=penalty)]
    return [
        change_at(branch, points[low:high], middle - low)
        for low, middle, high in zip(cuts, cuts[1:], cuts[2:], strict=False)
    ]
