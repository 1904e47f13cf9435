"""The claims of the article that upbench began with, each held against what was measured.

The article ("Three ways of upsampling in PyTorch", in many versions on the web) says that bilinear interpolation is
simple and leaves jagged edges, that transposed convolution keeps more detail and costs more, and that pixel
shuffle is the fastest and looks worse.
"""

from dataclasses import dataclass

import pandas as pd

from upbench.reports import layers, layers_claim
from upbench.reports.frame import Run
from upbench.reports.report import Report
from upbench.reports.survey import SAME_DB, SAME_TIME, main_quality, main_speed
from upbench.reports.words import Block, Bullets, bold, fold, heading, prose, say, table


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A claim, its verdict (`holds`, `does not hold`, `depends`, `not measured`), what decides, and all figures."""

    text: str
    verdict: str
    evidence: str
    decides: str = ""


def section(report: Report) -> list[Block]:
    """A row a claim with its verdict and the number that decides; the evidence in a fold."""
    found = check(report.run)
    if all(claim.verdict == "not measured" for claim in found):
        return []
    rows = [[claim.text, bold(claim.verdict), prose(claim.decides or claim.evidence)] for claim in found]
    evidence = tuple(say("{} {}", claim.text, prose(claim.evidence)) for claim in found)
    return [
        heading("The article's claims"),
        table(["claim", "verdict", "what decides"], rows, "lll"),
        *fold("Evidence", [Bullets(evidence)]),
    ]


def check(run: Run) -> list[Claim]:
    """The three claims with the run's figures; a claim whose methods were not measured says so."""
    quality, speed = main_quality(run.quality), main_speed(run.speed)
    psnr = {} if quality.empty else quality.set_index("method")["psnr_db"].sort_values(ascending=False).to_dict()
    times: dict[str, dict[str, float]] = {}
    if not speed.empty:
        total = speed.assign(total=speed["seconds"] + speed["conversion_seconds"])
        for workload, cells in total.groupby("workload", sort=False):
            times[str(workload)] = cells.set_index("method")["total"].to_dict()
    return [_jagged(run.diagnostics), _in_networks(run, _transposed(psnr, times)), _shuffle(psnr, times)]


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
    decides = (
        f"A slanted edge strays {jagged['bilinear']:.2f} px from straight with `bilinear`, {jagged['nearest']:.2f} with"
        f" `nearest`, {jagged['bicubic']:.2f} with `bicubic`; it is {width['bilinear']:.1f} px wide,"
        f" {width['nearest']:.1f} and {width['bicubic']:.1f}."
    )
    if share < 1 / 3:
        blur = " Its fault is blur, not steps." if width["bilinear"] > width["bicubic"] else ""
        return Claim(text=text, verdict="does not hold", evidence=evidence + blur, decides=decides)
    steps = "Steps are there, but fewer than with nearest." if share < 2 / 3 else "Its steps are as large."
    return Claim(
        text=text, verdict="depends" if share < 2 / 3 else "holds", evidence=f"{evidence} {steps}", decides=decides
    )


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
    best = max(names, key=lambda name: psnr[name])
    decides = f"The best of them, `{best}`, reaches {psnr[best]:.2f} dB; `bilinear` {psnr['bilinear']:.2f} dB."
    if everything:
        decides += f" They take {min(everything):.2g} to {max(everything):.2g} times `bilinear`'s time."
    return Claim(text=text, verdict=verdict, evidence=" ".join(evidence), decides=decides)


def _in_networks(run: Run, alone: Claim) -> Claim:
    """The claim about the lone layer with that of the same layer inside a network, which is how it is used."""
    verdict, evidence = layers_claim.claim(layers.read(run.folder))
    if verdict == "not measured":
        return alone
    both = verdict if alone.verdict in (verdict, "not measured") else "depends"
    told = f"Inside a trained network: {verdict}."
    start = "" if alone.verdict == "not measured" else f"{alone.evidence} "
    decides = f"{alone.decides} {told}".strip()
    return Claim(text=alone.text, verdict=both, evidence=f"{start}{told} {evidence}", decides=decides)


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
    decides = f"{_capital('; '.join(ranks))}; {difference:+.2f} dB against `bilinear`."
    return Claim(text=text, verdict=verdict, evidence=evidence, decides=decides)


def _capital(said: str) -> str:
    return said[:1].upper() + said[1:]


def _unmeasured(text: str) -> Claim:
    return Claim(text=text, verdict="not measured", evidence="This run did not measure the methods that it is about.")
