"""Comparisons of the same cells from several machines -> one: what is red here should be red on the next machine too.

A cell is SLOWER where at least two hosts each find it slower (their own interval lies above 1), none says that it is
not, and the mean over hosts lies beyond the threshold by more than hosts by chance differ, seven times in eight. Hosts
are taken to differ by 3 %, until enough of them have shown how much it is. FASTER is the same the other way round;
where some host is certain and the rule does not hold, the hosts disagree and the cell is UNRESOLVED.

Log ratios are joined with random effects (DerSimonian & Laird, "Meta-analysis in clinical trials", Controlled Clinical
Trials 1986), whose variance between hosts, of which two hosts say next to nothing, is moderated by what is known
(Smyth, "Linear models and empirical Bayes methods", Stat. Appl. Genet. Mol. Biol. 2004). Known is: an Intel Xeon and
three runs on one with an AMD EPYC, torch 2.14.0 against 2.15.0 in six cells, had a standard deviation of 2.7 % between
hosts; their times differ by far more.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from upbench.bench.gate.outcome import Record, title
from upbench.bench.gate.pixels import CHANGED
from upbench.bench.gate.verdict import CONFIDENCE, OPEN, POWER, Verdict, quantile

BETWEEN_HOSTS, HOSTS_WORTH = 0.03, 10  # of a duet's log ratio: standard deviation, and how many hosts say so
SURE = 7 / 8  # one-sided, of the mean over hosts that have each been sure already
QUANTILE = 1.96  # of the normal distribution, for 95 %
LEAST_HOSTS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """The mean log ratio over hosts and its standard error; `spread` is the standard deviation that hosts show."""

    mean: float
    error: float
    spread: float
    hosts: int

    @classmethod
    def of(cls, means: Sequence[float], errors: Sequence[float]) -> "Pooled":
        """From each host's log ratio and its standard error; at least one of them."""
        shown = _between(means, errors)
        others = len(means) - 1
        variance = (HOSTS_WORTH * BETWEEN_HOSTS**2 + others * shown) / (HOSTS_WORTH + others)
        weights = [1 / (error**2 + variance) for error in errors]
        mean = sum(w * mean for w, mean in zip(weights, means, strict=True)) / sum(weights)
        return cls(mean=mean, error=1 / math.sqrt(sum(weights)), spread=math.sqrt(shown), hosts=len(means))

    def reach(self, level: float = (1 + CONFIDENCE) / 2) -> float:
        """How far the mean may be off to one side, in log ratio; to both sides it is the 95 % interval's half."""
        return self.error * quantile(level, HOSTS_WORTH + self.hosts)

    def beyond(self, sign: int, threshold: float) -> bool:
        """Whether the mean lies surely beyond the threshold in that direction."""
        return sign * self.mean - self.reach(SURE) > math.log1p(threshold)

    def detectable(self, threshold: float) -> float:
        """The smallest slowdown in the mean (0.05 is 5 %) that so many hosts tell from `threshold` 19 times in 20."""
        return math.expm1(math.log1p(threshold) + self.reach(SURE) + self.reach(POWER))


def _between(means: Sequence[float], errors: Sequence[float]) -> float:
    """The variance between hosts that their errors do not explain."""
    if len(means) < LEAST_HOSTS:
        return 0.0
    weights = [1 / max(error, 1e-6) ** 2 for error in errors]
    fixed = sum(w * mean for w, mean in zip(weights, means, strict=True)) / sum(weights)
    scatter = sum(w * (mean - fixed) ** 2 for w, mean in zip(weights, means, strict=True))
    scale = sum(weights) - sum(w * w for w in weights) / sum(weights)
    return max(0.0, scatter - (len(means) - 1)) / scale


def join(comparisons: Sequence[Record], hosts: Sequence[str]) -> Record:
    """One comparison as `versions.json` has it, of the same two sides on several hosts (`hosts` names them).

    A joined cell's `hosts` holds each host's verdict, ratio and interval; `spread` is between hosts.
    """
    first = comparisons[0]
    names = dict.fromkeys(cell["cell"] for each in comparisons for cell in each["cells"])
    rows = [{cell["cell"]: cell for cell in each["cells"]} for each in comparisons]
    threshold = max(each["settings"]["threshold"] for each in comparisons)
    cells = []
    for name in names:
        found = {host: row[name] for host, row in zip(hosts, rows, strict=True) if name in row}
        cells.append(_cell(found, threshold))
    return first | {
        "settings": first["settings"] | {"threshold": threshold},
        "spent": sum(each["spent"] for each in comparisons),
        "rounds": sum(each["rounds"] for each in comparisons),
        "hosts": list(hosts),
        "cells": cells,
    }


def _cell(found: dict[str, Record], threshold: float) -> Record:
    first = next(iter(found.values()))
    measured = {host: cell for host, cell in found.items() if cell["ratio"] is not None and cell["low"] < cell["high"]}
    pooled = _pooled(list(measured.values())) if measured else None
    verdict, reason = judge(found, pooled, threshold)
    seen = [cell["pixels"] for cell in found.values() if cell["pixels"]]
    return {
        "cell": first["cell"],
        "method": first["method"],
        "planted": max(cell["planted"] for cell in found.values()),
        "verdict": verdict.value,
        "reason": reason,
        "pixels": next((pixels for pixels in seen if pixels["status"] == CHANGED), seen[0] if seen else None),
        "memory": first["memory"],
        "pairs": sum(cell["pairs"] for cell in found.values()),
        "visits": [],
        "hosts": [{"host": host} | {key: cell[key] for key in HOST_KEYS} for host, cell in found.items()],
    } | _numbers(pooled, measured, threshold)


HOST_KEYS = ("verdict", "ratio", "low", "high")
NUMBERS = ("ratio", "low", "high", "floor", "detectable", "spread")


def _numbers(pooled: Pooled | None, measured: dict[str, Record], threshold: float) -> dict[str, Any]:
    if pooled is None:
        return dict.fromkeys(NUMBERS)
    by_hosts = sorted(cell["detectable"] for cell in measured.values())
    return {
        "ratio": math.exp(pooled.mean),
        "low": math.exp(pooled.mean - pooled.reach()),
        "high": math.exp(pooled.mean + pooled.reach()),
        "floor": math.expm1(pooled.reach()),
        "detectable": max(pooled.detectable(threshold), by_hosts[min(LEAST_HOSTS, len(by_hosts)) - 1]),
        "spread": pooled.spread,
    }


def _pooled(cells: Sequence[Record]) -> Pooled:
    """A cell's interval is symmetric in log ratio: half its width over the quantile is the standard error."""
    errors = [math.log(cell["high"] / cell["low"]) / 2 / QUANTILE for cell in cells]
    return Pooled.of([math.log(cell["ratio"]) for cell in cells], errors)


def judge(found: dict[str, Record], pooled: Pooled | None, threshold: float) -> tuple[Verdict, str]:
    """The joined verdict and its reason; `found` maps each host to its cell."""
    said = {host: Verdict(cell["verdict"]) for host, cell in found.items()}
    telling = {host: verdict for host, verdict in said.items() if verdict not in (Verdict.FAILED, Verdict.SKIPPED)}
    for verdict, sign in ((Verdict.SLOWER, 1), (Verdict.FASTER, -1)):
        sure = [host for host in telling if _side(found[host]) == sign and telling[host] is not Verdict.BIMODAL]
        others = {telling[host] for host in telling if host not in sure}
        confirmed = verdict in telling.values() and len(sure) >= LEAST_HOSTS and others <= set(OPEN)
        if confirmed and pooled is not None and pooled.beyond(sign, threshold):
            return verdict, ""
    for kind in (Verdict.FAILED, Verdict.BIMODAL):
        if kind in said.values():
            host = next(host for host, verdict in said.items() if verdict is kind)
            return kind, f"on {host}: {found[host]['reason']}"
    if not telling:
        return Verdict.SKIPPED, next(cell["reason"] for cell in found.values())
    if Verdict.SLOWER in telling.values() or Verdict.FASTER in telling.values():
        return Verdict.UNRESOLVED, _disagreement(telling, found)
    if all(verdict is Verdict.SAME or _inside(found[host], threshold) for host, verdict in telling.items()):
        return Verdict.SAME, ""
    return Verdict.UNRESOLVED, "no host resolves it"


def _side(cell: Record) -> int:
    """1 where the cell's own interval says slower, -1 where it says faster, 0 where it holds 1 or was not measured."""
    if cell["ratio"] is None:
        return 0
    return int(cell["low"] > 1) - int(cell["high"] < 1)


def _inside(cell: Record, threshold: float) -> bool:
    """Whether the cell's own interval lies within the threshold on both sides."""
    bounds = [cell[name] for name in ("low", "high")]
    return None not in bounds and max(abs(math.log(bound)) for bound in bounds) < math.log1p(threshold)


def _disagreement(telling: Mapping[str, Verdict], found: dict[str, Record]) -> str:
    if len(telling) == 1:
        return f"only {next(iter(telling))} measured it; a second host has to confirm it"
    said = ", ".join(f"{host} says {verdict.value}{_percent(found[host])}" for host, verdict in telling.items())
    return f"the hosts disagree: {said}"


def _percent(cell: Record) -> str:
    return "" if cell["ratio"] is None else f" ({cell['ratio'] - 1:+.1%})"


def alike(comparisons: Sequence[Record]) -> bool:
    """Whether all compare the same two sides."""
    return len({title(each) for each in comparisons}) == 1
