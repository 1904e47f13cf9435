"""The claims of the article that upbench began with, each held against what was measured.

The article ("Three ways of upsampling in PyTorch", in many versions on the web) says that bilinear interpolation is
simple and leaves jagged edges, that transposed convolution keeps more detail and costs more, and that pixel
shuffle is the fastest and looks worse.
"""

from dataclasses import dataclass

import pandas as pd

from upbench.reports.advice import SAME_DB
from upbench.reports.figures import Drawn
from upbench.reports.frame import Run
from upbench.reports.tables import headline, main_speed

SAME_TIME = 1.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A claim, its verdict (`holds`, `does not hold`, `depends`, `not measured`), and the figures behind it."""

    text: str
    verdict: str
    evidence: str


def section(run: Run, drawn: Drawn) -> str:
    """Each claim with its verdict and evidence."""
    lines = ["## The article's claims", ""]
    for number, claim in enumerate(check(run), 1):
        lines.append(f"{number}. *{claim.text}* **{claim.verdict.capitalize()}.** {claim.evidence}")
    return "\n".join(lines)


def check(run: Run) -> list[Claim]:
    """The three claims with the run's figures; a claim whose methods were not measured says so."""
    quality = headline(run.quality, pd.DataFrame())
    psnr = {} if quality.empty else quality.set_index("method")["PSNR (dB)"].dropna().to_dict()
    speed = main_speed(run.speed)
    times: dict[str, dict[str, float]] = {}
    if not speed.empty:
        for workload, cells in speed.groupby("workload", sort=False):
            times[str(workload)] = cells.set_index("method")["seconds"].to_dict()
    return [_jagged(run.diagnostics), _transposed(psnr, times), _shuffle(psnr, times)]


def _jagged(diagnostics: pd.DataFrame) -> Claim:
    text = "Bilinear is simple and leaves jagged edges."
    if diagnostics.empty:
        return _unmeasured(text)
    smallest = diagnostics[diagnostics["scale"] == diagnostics["scale"].min()].set_index("method")
    edges = smallest[smallest["status"] == "ok"]
    if not {"nearest", "bilinear", "bicubic"} <= set(edges.index):
        return _unmeasured(text)
    jagged, width = edges["jaggedness_pixels"], edges["edge_width_pixels"]
    share = jagged["bilinear"] / jagged["nearest"]
    evidence = (
        f"On a slanted edge (x{int(edges['scale'].iloc[0])}) the half-way line of `bilinear` strays"
        f" {jagged['bilinear']:.3f} pixels from straight, of `nearest` {jagged['nearest']:.3f},"
        f" of `bicubic` {jagged['bicubic']:.3f}; the edge is {width['bilinear']:.2f} pixels wide with `bilinear`,"
        f" {width['bicubic']:.2f} with `bicubic`, {width['nearest']:.2f} with `nearest`."
    )
    if share < 1 / 3:
        blur = " Its fault is blur, not steps." if width["bilinear"] > width["bicubic"] else ""
        return Claim(text=text, verdict="does not hold", evidence=evidence + blur)
    steps = "Steps are there, but fewer than with nearest." if share < 2 / 3 else "Its steps are as large."
    return Claim(text=text, verdict="depends" if share < 2 / 3 else "holds", evidence=f"{evidence} {steps}")


def _transposed(psnr: dict[str, float], times: dict[str, dict[str, float]]) -> Claim:
    text = "Transposed convolution keeps more detail and costs more."
    names = [name for name in psnr if name.startswith(("transposed-", "learned-transposed"))]
    if "bilinear" not in psnr or not names:
        return _unmeasured(text)
    figures = ", ".join(f"`{name}` {psnr[name]:.2f}" for name in names)
    evidence = [f"PSNR in dB: `bilinear` {psnr['bilinear']:.2f}, {figures}."]
    more_detail = [name for name in names if psnr[name] > psnr["bilinear"] + SAME_DB]
    ratios = {
        workload: {name: seconds[name] / seconds["bilinear"] for name in names if name in seconds}
        for workload, seconds in times.items()
        if "bilinear" in seconds
    }
    everything = [ratio for by_name in ratios.values() for ratio in by_name.values()]
    costlier, cheaper = any(r > SAME_TIME for r in everything), any(r <= SAME_TIME for r in everything)
    for workload, by_name in ratios.items():
        listed = ", ".join(f"`{name}` {ratio:.2f}x" for name, ratio in by_name.items())
        evidence.append(f"Time against `bilinear` on {workload}: {listed}.")
    if more_detail:
        evidence.append(f"More detail: {', '.join(more_detail)}.")
    else:
        evidence.append("None scores above `bilinear`: detail has to be learned by a network around the layer.")
    verdict = "does not hold"
    if more_detail:
        verdict = "holds" if costlier and not cheaper else "depends"
    elif not cheaper and costlier:
        evidence.append("That it costs more holds.")
    return Claim(text=text, verdict=verdict, evidence=" ".join(evidence))


def _shuffle(psnr: dict[str, float], times: dict[str, dict[str, float]]) -> Claim:
    text = "Pixel shuffle is the fastest and looks worse."
    if not {"pixel-shuffle", "bilinear"} <= set(psnr) or not times:
        return _unmeasured(text)
    won, ranks = [], []
    for workload, seconds in times.items():
        if "pixel-shuffle" in seconds:
            fastest = min(seconds, key=lambda name: seconds[name])
            rank = sorted(seconds.values()).index(seconds["pixel-shuffle"]) + 1
            won.append(seconds["pixel-shuffle"] <= SAME_TIME * seconds[fastest])
            slower = seconds["pixel-shuffle"] / seconds[fastest]
            ranks.append(f"place {rank} of {len(seconds)} on {workload} ({slower:.2f}x the time of `{fastest}`)")
    if not won:
        return _unmeasured(text)
    difference = psnr["pixel-shuffle"] - psnr["bilinear"]
    worse = difference < -SAME_DB
    evidence = (
        f"The shuffle alone: {'; '.join(ranks)}. PSNR {psnr['pixel-shuffle']:.2f} dB, {difference:+.2f} dB against"
        " `bilinear`; its pixels are those of `nearest`."
    )
    if "pixel-shuffle-bicubic" in psnr:
        evidence += (
            f" With bicubic weights before the shuffle it reaches {psnr['pixel-shuffle-bicubic']:.2f} dB:"
            " the look comes from the convolution before it, not from the shuffle."
        )
    holds = all(won) and worse
    verdict = "holds" if holds else "depends" if any(won) or worse else "does not hold"
    return Claim(text=text, verdict=verdict, evidence=evidence)


def _unmeasured(text: str) -> Claim:
    return Claim(text=text, verdict="not measured", evidence="This run did not measure the methods that it is about.")
