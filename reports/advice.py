"""What to use: the methods that nothing beats in both quality and time, and the faster names of the same pixels."""

import math

import pandas as pd

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
            lines = [*sentences(front(points)), *switch_sentences(points)]
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


def sentences(found: pd.DataFrame) -> list[str]:
    """A sentence on each method of a front, fastest first."""
    lines = []
    for index, row in found.iterrows():
        place = "the fastest" if index == 0 else f"{row['seconds'] / found['seconds'].iloc[0]:.1f}x the fastest's time"
        if index == len(found) - 1:
            place += ", and the best quality"
        elif index > 0:
            gained = row["psnr_db"] - found["psnr_db"].iloc[int(index) - 1]
            place += f", {gained:+.2f} dB over the one before"
        milliseconds = number(row["seconds"] * 1e3, ".3g")
        lines.append(f"`{row['method']}`: {row['psnr_db']:.2f} dB in {milliseconds} ms; {place}.")
    return lines


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


def switch_sentences(points: pd.DataFrame) -> list[str]:
    """ "You call X; Y gives the same pixels N times faster", for torch's own names that something beats."""
    lines = []
    for pixels, members in points.groupby("pixels", sort=False):
        fastest = members.loc[members["seconds"].idxmin()]
        called = members[members["method"] == pixels]
        if called.empty:
            continue
        ratio = called["seconds"].iloc[0] / fastest["seconds"]
        if ratio >= WORTH_NAMING:
            lines.append(f"You call `{pixels}`; `{fastest['method']}` gives the same pixels {ratio:.1f}x faster.")
    return lines
