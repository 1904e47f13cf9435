"""The report's section on layers inside a network: what to put into a decoder, by how much, and what decides it."""

from functools import partial
from pathlib import Path

import pandas as pd

from upbench.bench.layers import statistics
from upbench.bench.layers.contract import REFERENCE
from upbench.reports import layers_plot
from upbench.reports.layers_claim import claim
from upbench.reports.layers_tables import shifts, usual
from upbench.reports.report import Report
from upbench.reports.words import Block, Bullets, Picture, fold, heading, link, paragraph, prose
from upbench.reports.words import table as words_table

PLACED = ("layer", "place", "psnr_db", "infer_ratio")
TITLE = "The upsampling layer inside a network"


def read(folder: Path, name: str = "layers.csv") -> pd.DataFrame:
    """A file of `upbench layers`; empty where the folder has none."""
    path = folder / name
    return pd.read_csv(path) if path.is_file() else pd.DataFrame()


def section(report: Report) -> list[Block]:
    """The report's part: what to know, where each layer stands, and the page that has the rest."""
    rows = read(report.run.folder)
    if rows.empty or not len(statistics.usable(rows)):
        return []
    summary = statistics.summary(rows)
    places = [
        [task, layer, f"{place:.0f}", f"{psnr:.2f} dB", f"{ratio:.2f}"]
        for task, part in usual(summary).groupby("task", sort=False)
        for layer, place, psnr, ratio in zip(*(part[name] for name in PLACED), strict=True)
    ]
    titles = ["task", "layer", "place", "PSNR", f"time over {REFERENCE}'s"]
    return [
        heading(TITLE),
        Bullets(tuple(prose(line.replace("*", "")) for line in words(rows, summary))),
        picture(rows, read(report.run.folder, "layers-curves.csv")),
        *fold("Every layer", [words_table(titles, places, "llrrr")]),
        paragraph("Intervals, equal cost, learning curves: {}.", link("layers.md", "layers.md")),
    ]


def picture(rows: pd.DataFrame, curves: pd.DataFrame) -> Picture:
    """The section's figure."""
    best = ", ".join(usual(statistics.summary(rows))["layer"].drop_duplicates()[:3])
    alt = (
        "For each task, above: PSNR against inference time of a network with each layer in turn, with intervals over"
        f" seeds; below: PSNR while it learns. Best: {best}"
    )
    return Picture("layers", alt, partial(layers_plot.draw, rows, curves))


def words(rows: pd.DataFrame, summary: pd.DataFrame) -> list[str]:
    """What a reader who stops here should know."""
    found = _initialisation(rows, summary)
    for task, here in usual(summary).groupby("task", sort=False):
        leaders = here[here["place"] == 1]
        if here["seeds"].max() < 3:
            found.append(f"**{task}**: too few seeds to tell layers apart; take three or more.")
        elif len(leaders):
            cheapest = leaders.loc[leaders["infer_ratio"].idxmin()]
            names = ", ".join(f"`{name}`" for name in leaders["layer"])
            found.append(
                f"**{task}**: not told apart at the top: {names}; the fastest of them is `{cheapest['layer']}`"
                f" ({cheapest['psnr_db']:.2f} dB, {cheapest['infer_ratio']:.2f}x the reference's time)."
            )
    verdict, evidence = claim(rows)
    found.append(
        f"*Transposed convolution keeps more detail and costs more*, inside a network: **{verdict}**. {evidence}"
    )
    if (summary["layer"] == REFERENCE).any():
        found.append(
            f"A trained `{REFERENCE}` is a transposed convolution of kernel 4 in disguise:"
            " `upbench.methods.layers.fold.fold` writes it as one, same outputs, 2.25 times fewer multiplications."
            f"{_folded(rows)}"
        )
    return found


def _folded(rows: pd.DataFrame) -> str:
    """What folding did to this run's own trained layers; empty where it was not measured."""
    if "folded_time" not in rows or rows["folded_time"].isna().all():
        return ""
    here = rows[rows["folded_time"].notna()]
    times = " and ".join(
        f"{part['folded_time'].median():.2f} ({task})" for task, part in here.groupby("task", sort=False)
    )
    largest = here["folded_difference"].max()
    return (
        f" Here, over {len(here)} trained networks, the outputs differ by at most {largest:.0e},"
        f" the layer takes {here['folded_layer_time'].median():.2f} of its time, the whole network {times}."
    )


def _initialisation(rows: pd.DataFrame, summary: pd.DataFrame) -> list[str]:
    """For each task the layer that torch's own initialisation moves most, held against the differences of layers."""
    found = []
    for task, here in usual(summary).groupby("task", sort=False):
        moved = shifts(rows, str(task))
        moved = moved[moved["setting"] == "default start"]
        if moved.empty:
            continue
        most = moved.loc[moved["shift_db"].abs().idxmax()]
        spread = here["psnr_db"].max() - here["psnr_db"].min()
        decides = "It decides." if abs(most["shift_db"]) > spread / 2 else "It does not decide."
        found.append(
            f"**Initialisation** ({task}): torch's own in place of an output deviation equal for all layers moves a"
            f" layer by up to {most['shift_db']:+.2f} dB (`{most['layer']}`, over {most['seeds']} seed(s)); the layers'"
            f" means lie {spread:.2f} dB apart. {decides}"
        )
    return found
