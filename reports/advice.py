"""What to use: the methods that nothing beats in both quality and time, and the faster names of the same pixels."""

import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from types import MappingProxyType

import pandas as pd

from upbench.reports.duels import Duel, measured
from upbench.reports.figures import Drawn
from upbench.reports.frame import Run
from upbench.reports.tables import main_speed, number

SAME_DB = 0.05  # a difference that nobody sees
WORTH_NAMING = 1.1  # a speed-up that is worth a change of code


def section(run: Run, drawn: Drawn) -> str:
    """What to use, for people who read no further."""
    parts = []
    for workload in dict.fromkeys(main_speed(run.speed)["workload"]) if len(run.speed) else ():
        points = candidates(run.quality, run.speed, workload)
        if len(points):
            duels = on_workload(run, workload)
            lines = [*sentences(front(points), duels), *switch_sentences(points, duels)]
            parts.append(f"**{workload}**: nothing measured beats these in both quality and time.\n")
            parts.append("\n".join(f"- {line}" for line in lines) + "\n")
    return "## What to use\n\n" + "\n".join(parts).rstrip() if parts else ""


def candidates(quality: pd.DataFrame, speed: pd.DataFrame, workload: str) -> pd.DataFrame:
    """Measured methods with `psnr_db`, `ssim`, `pixels` (first degradation, same scale) and `seconds` on a workload."""
    cells = main_speed(speed)
    if quality.empty or cells.empty:
        return pd.DataFrame(columns=["method", "psnr_db", "ssim", "pixels", "seconds"])
    cells = cells[cells["workload"] == workload]
    first = quality.iloc[0]
    same = (quality["degradation"] == first["degradation"]) & (quality["dtype"] == first["dtype"])
    ok = quality[same & (quality["status"] == "ok")]
    scored = ok[ok["scale"] == (cells["scale"].iloc[0] if len(cells) else 0)]
    return scored[["method", "psnr_db", "ssim", "pixels"]].merge(cells[["method", "seconds"]], on="method")


def front(points: pd.DataFrame, min_psnr_db: float = -math.inf) -> pd.DataFrame:
    """The methods that no other beats in both time and (visibly) PSNR, fastest first, of at least `min_psnr_db`."""
    ordered = points.sort_values(["seconds", "psnr_db"], ascending=[True, False], kind="stable")
    best_before = ordered["psnr_db"].cummax().shift(fill_value=-math.inf)
    found = ordered[ordered["psnr_db"] > best_before + SAME_DB]
    return found[found["psnr_db"] >= min_psnr_db].reset_index(drop=True)


Duels = Mapping[tuple[str, str], Duel]  # baseline and candidate -> what their duet said


def on_workload(run: Run, workload: str) -> Duels:
    """The duels of one workload."""
    return {(one, other): duel for (where, one, other), duel in measured(run).items() if where == workload}


def sentences(found: pd.DataFrame, duels: Duels = MappingProxyType({})) -> list[str]:
    """A sentence on each method of a front, fastest first; ratios are those of duels where there are any."""
    lines = []
    for index, row in found.iterrows():
        before = found.iloc[int(index) - 1] if index else None
        duel = duels.get((before["method"], row["method"])) if before is not None else None
        place = (
            "the fastest" if before is None else f"{row['seconds'] / found['seconds'].iloc[0]:.1f}x the fastest's time"
        )
        if duel is not None:
            place = f"shares the place with `{duel.baseline}`" if duel.shared else duel.time()
        if index == len(found) - 1:
            place += ", and the best quality"
        elif before is not None:
            place += f", {row['psnr_db'] - before['psnr_db']:+.2f} dB over the one before"
        milliseconds = number(row["seconds"] * 1e3, ".3g")
        lines.append(f"`{row['method']}`: {row['psnr_db']:.2f} dB in {milliseconds} ms; {place}.")
    return lines


def deciding(points: pd.DataFrame) -> list[tuple[str, str]]:
    """The pairs that decide what to use: what is called and what is faster, then neighbours on the front."""
    switches = [(called, fastest) for called, fastest, _ in _switches(points)]
    names = list(front(points)["method"])
    return list(dict.fromkeys([*switches, *pairwise(names)]))


def faster_names(points: pd.DataFrame) -> pd.DataFrame:
    """For each group with the same pixels: its fastest method, and how much slower each other name is."""
    rows = []
    for pixels, members in points.groupby("pixels", sort=False):
        if len(members) < 2:
            continue
        ordered = members.sort_values("seconds")
        fastest = ordered.iloc[0]
        others = [
            f"{row['method']} {row['seconds'] / fastest['seconds']:.1f}x" for _, row in ordered.iloc[1:].iterrows()
        ]
        rows.append(
            {
                "same pixels as": pixels,
                "fastest": fastest["method"],
                "time (ms)": fastest["seconds"] * 1e3,
                "the others' time": ", ".join(others),
            }
        )
    return pd.DataFrame(rows)


def switch_sentences(points: pd.DataFrame, duels: Duels = MappingProxyType({})) -> list[str]:
    """ "You call X; Y gives the same pixels N times faster", for torch's own names that something beats."""
    lines = []
    for called, fastest, ratio in _switches(points):
        duel = duels.get((called, fastest))
        if duel is None:
            lines.append(f"You call `{called}`; `{fastest}` gives the same pixels {ratio:.1f}x faster.")
        elif duel.high < 1:
            lines.append(f"You call `{called}`; `{fastest}` gives the same pixels {duel.faster()}.")
    return lines


def _switches(points: pd.DataFrame) -> Iterator[tuple[str, str, float]]:
    """Torch's own names, the fastest of the same pixels, and how many times faster that is by the medians."""
    for pixels, members in points.groupby("pixels", sort=False):
        fastest = members.loc[members["seconds"].idxmin()]
        called = members[members["method"] == pixels]
        if not called.empty and (ratio := called["seconds"].iloc[0] / fastest["seconds"]) >= WORTH_NAMING:
            yield str(pixels), str(fastest["method"]), float(ratio)
