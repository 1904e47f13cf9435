"""The page of `upbench layers`: where it ran, then words, figure and tables. The report has a section of its own."""

import json
from pathlib import Path

import pandas as pd

from upbench.bench.layers import statistics
from upbench.bench.layers.contract import REFERENCE
from upbench.bench.store import write_text
from upbench.reports import markdown, page
from upbench.reports.layers import TITLE, picture, read, words
from upbench.reports.layers_tables import COSTS, SCORES, costs, scores, shifts, shown
from upbench.reports.words import Block, Bullets, Heading, Paragraph, bold, code, heading, marked, paragraph, say

NOTE = (
    "One small network, its layer C channels in and out, trained from scratch with each layer in turn. A seed"
    " fixes the body's start and the order of the images, so layers are compared seed by seed: intervals are 95 % (t)"
    f" over seeds, *against* is the paired difference to `{REFERENCE}`, and layers share a place where the seeds do not"
    " tell them apart (1 + the number of layers that are better, false discoveries held at 5 %). Matched: the residual"
    " blocks' inner width is changed until the network costs what the reference costs, within 2 %; the layer stays as"
    " it is, and where it costs what the reference costs, so does the network. *Start* and *rate*: the change in dB,"
    " seed by seed, by torch's own initialisation or another learning rate."
)
HIDDEN_NOTE = (
    "*Time*: of the network's inference over that of the network with the reference, blocks in turn on one clock, 95 %"
    " over seeds; ms are for 100 images, one thread, or a step of training. *Kept for backward*: activations held for"
    " the backward pass of a step. *Peak*: the most that the allocator holds at a time beyond weights, optimiser and"
    " inputs. *Checkerboard*: how unevenly a constant colour comes out, in 8-bit levels, before and after"
    " training. *Phases*: largest over smallest variance of a new layer's four phases. *Gradient*: median norm before"
    " clipping at 0.1."
)


def write(folder: Path) -> Path:
    """Write `layers.md` and its figures from the files of `upbench layers` in a folder; returns its path."""
    rows = read(folder)
    drawn = [picture(rows, read(folder, "layers-curves.csv"))] if len(rows) and len(statistics.usable(rows)) else []
    with page.drawing(drawn, folder / "figures"):
        write_text(folder / "layers.md", text(folder))
    return folder / "layers.md"


def text(folder: Path) -> str:
    """A page of its own: where it ran, then the section."""
    about = json.loads((folder / "layers.json").read_text(encoding="utf-8"))
    host = json.loads((folder / "host.json").read_text(encoding="utf-8"))["host"]
    asked = about["request"]
    training = (
        f"{about['steps']} steps of {asked['batch']} images at width {about['width']}, Adam, learning"
        f" rate {asked['rates'][0]:g}, one thread, on {about['device']}"
    )
    where = (
        f"{host['cpu']}, {host['cores']} cores, {host['system']}, Python {host['python']},"
        f" torch {host['packages']['torch']}, {host['utc']}"
    )
    told = {"Data": about["description"], "Training": training, "Host": where}
    lines = Bullets(tuple(say("{}: {}.", bold(name), value) for name, value in told.items()))
    found = blocks(folder) or [paragraph("Nothing was measured.")]
    return markdown.write([heading("Upsampling layers", 1), lines, *found])


def blocks(folder: Path) -> list[Block]:
    """The page's words, figure and tables; none where no layer was trained."""
    rows = read(folder)
    if rows.empty or not len(statistics.usable(rows)):
        return []
    summary = statistics.summary(rows)
    found: list[Block] = [
        heading(TITLE),
        Bullets(tuple(map(marked, words(rows, summary)))),
        Paragraph(marked(NOTE)),
        picture(rows, read(folder, "layers-curves.csv")),
    ]
    for task in dict.fromkeys(summary["task"]):
        here = summary[summary["task"] == task]
        found.append(Heading(say("{}", str(task).capitalize()), 3))
        found += [shown(scores(here, shifts(rows, task)), SCORES), shown(costs(here), COSTS)]
    return [*found, Paragraph(marked(HIDDEN_NOTE)), *_missing(rows)]


def _missing(rows: pd.DataFrame) -> list[Block]:
    """Collapsed, failed and skipped trainings with their reasons; those that differ in their figures only, together."""
    lines = []
    collapsed = rows[statistics.has_collapsed(rows)]
    told = [
        ("collapsed", collapsed, "collapsed"),
        *((s, rows[rows["status"] == s], "reason") for s in ("failed", "skipped")),
    ]
    for what, part, column in told:
        kind = [str(reason).partition(": ")[0] for reason in part[column]]
        for (layer, _), group in part.groupby([part["layer"], kind], sort=False):
            said = (code(layer), what, len(group), _such_as(group[column]))
            lines.append(say("{} {}, {} of its trainings: {}", *said))
    return [heading("Not counted", 3), Bullets(tuple(lines))] if lines else []


def _such_as(reasons: "pd.Series[str]") -> str:
    """A reason, or the first of several that differ in their figures."""
    first = str(reasons.iloc[0])
    return first if reasons.nunique() == 1 else f"{first}; and the like"
