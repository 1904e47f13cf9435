"""Comparisons of the same cells from several machines -> one: what is red here should be red on the next machine too.

Each host has judged each cell by itself. A cell is SLOWER (or FASTER) where at least two hosts confirm it and no host
contradicts them; where some do, the mean over hosts has to lie beyond the threshold with its interval. Else they
disagree, and the cell is UNRESOLVED. Over hosts the log ratios are joined with random effects: DerSimonian & Laird,
"Meta-analysis in clinical trials", Controlled Clinical Trials 1986; `spread` is the standard deviation between hosts,
never below what two runs of one host have.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from upbench.bench.gate.outcome import Record, title
from upbench.bench.gate.pixels import CHANGED
from upbench.bench.gate.verdict import Verdict

LEAST_SPREAD = 0.005  # in log ratio: between two duets of the same thing on one host
QUANTILE = 1.96  # of the normal distribution, for 95 %


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """The mean log ratio over hosts, its standard error, and the standard deviation between hosts."""

    mean: float
    error: float
    spread: float

    @classmethod
    def of(cls, means: Sequence[float], errors: Sequence[float]) -> "Pooled":
        """From each host's log ratio and its standard error; at least one of them."""
        weights = [1 / max(error, 1e-6) ** 2 for error in errors]
        fixed = sum(w * mean for w, mean in zip(weights, means, strict=True)) / sum(weights)
        scatter = sum(w * (mean - fixed) ** 2 for w, mean in zip(weights, means, strict=True))
        scale = sum(weights) - sum(w * w for w in weights) / sum(weights)
        variance = max(0.0, scatter - (len(means) - 1)) / scale if len(means) > 1 else 0.0
        variance = max(variance, LEAST_SPREAD**2)
        weights = [1 / (error**2 + variance) for error in errors]
        mean = sum(w * mean for w, mean in zip(weights, means, strict=True)) / sum(weights)
        return cls(mean=mean, error=1 / math.sqrt(sum(weights)), spread=math.sqrt(variance))

    @property
    def reach(self) -> float:
        """Half the width of the 95 % interval, in log ratio."""
        return QUANTILE * self.error


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
    } | _numbers(pooled, measured)


HOST_KEYS = ("verdict", "ratio", "low", "high")
NUMBERS = ("ratio", "low", "high", "floor", "detectable", "spread")


def _numbers(pooled: Pooled | None, measured: dict[str, Record]) -> dict[str, Any]:
    if pooled is None:
        return dict.fromkeys(NUMBERS)
    return {
        "ratio": math.exp(pooled.mean),
        "low": math.exp(pooled.mean - pooled.reach),
        "high": math.exp(pooled.mean + pooled.reach),
        "floor": math.expm1(pooled.reach),
        "detectable": sorted(cell["detectable"] for cell in measured.values())[
            min(1, len(measured) - 1)
        ],  # by two hosts
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
        confirming = sum(each is verdict for each in telling.values())
        beyond = pooled is not None and sign * pooled.mean - pooled.reach > math.log1p(threshold)
        if confirming >= 2 and (confirming == len(telling) or beyond):
            return verdict, ""
    for kind in (Verdict.FAILED, Verdict.BIMODAL):
        if kind in said.values():
            host = next(host for host, verdict in said.items() if verdict is kind)
            return kind, f"on {host}: {found[host]['reason']}"
    if not telling:
        return Verdict.SKIPPED, next(cell["reason"] for cell in found.values())
    if Verdict.SLOWER in telling.values() or Verdict.FASTER in telling.values():
        return Verdict.UNRESOLVED, _disagreement(telling, found)
    inside = pooled is not None and abs(pooled.mean) + pooled.reach < math.log1p(threshold)
    if set(telling.values()) == {Verdict.SAME} or (len(telling) >= 2 and inside):
        return Verdict.SAME, ""
    return Verdict.UNRESOLVED, "no host resolves it"


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
