"""The report's section on layers inside a network: what to put into a decoder, by how much, and what decides it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from upbench.bench.layers import statistics
from upbench.bench.layers.contract import REFERENCE
from upbench.reports.report import Report
from upbench.reports.words import Block, Bullets, fold, heading, link, paragraph, prose
from upbench.reports.words import table as words_table

PLACED = ("layer", "place", "psnr_db", "infer_ratio")
TITLE = "## The upsampling layer inside a network"
MATCHED = {"matched-macs": "matched MACs (dB)", "matched-parameters": "matched parameters (dB)"}
SCORES = {"place": ".0f", "PSNR (dB)": ".2f"}
COSTS = {
    "MMAC": ".2f",
    "parameters": ",.0f",
    "kept for backward (MiB)": ".1f",
    "peak of a step (MiB)": ".1f",
    "peak of inference (MiB)": ".1f",
    "train (ms)": ".3g",
    "inference (ms)": ".3g",
    "phases": ".2g",
    "gradient": ".2g",
}
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
        heading(TITLE.removeprefix("## ")),
        Bullets(tuple(prose(line.replace("*", "")) for line in words(rows, summary))),
        *fold("Every layer", [words_table(titles, places, "llrrr")]),
        paragraph("Intervals, equal cost, learning curves: {}.", link("layers.md", "layers.md")),
    ]


def told(folder: Path) -> str:
    """The page's tables and words as markdown, with their figure in `figures/`; empty where no layer was trained."""
    rows = read(folder)
    if rows.empty or not len(statistics.usable(rows)):
        return ""
    draw(rows, read(folder, "layers-curves.csv"), folder / "figures" / "layers.png")
    summary = statistics.summary(rows)
    parts = [TITLE, "\n".join(f"- {line}" for line in words(rows, summary)), NOTE]
    parts.append("![Quality against inference time, and learning curves](figures/layers.png)")
    for task in dict.fromkeys(summary["task"]):
        here = summary[summary["task"] == task]
        parts += [f"### {task.capitalize()}", markdown(scores(here, shifts(rows, task)), SCORES)]
        parts += [markdown(costs(here), COSTS)]
    return "\n\n".join([*parts, HIDDEN_NOTE, *_missing(rows)])


def usual(summary: pd.DataFrame) -> pd.DataFrame:
    """The rows of the tables' own setting: the first fairness, initialisation and learning rate, best first."""
    first = summary.iloc[0]
    axes = ["fairness", "initialisation", "rate"]
    return summary[(summary[axes] == first[axes]).all(axis=1)].sort_values("psnr_db", ascending=False)


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


def shifts(rows: pd.DataFrame, task: str) -> pd.DataFrame:
    """What another start or learning rate changes: mean difference in dB to the tables' own setting, seed by seed.

    Columns `setting`, `layer`, `shift_db`, `seeds`; a pair with a collapsed training is left out.
    """
    own = rows.iloc[0]
    drop_in = rows[(rows["task"] == task) & (rows["fairness"] == own["fairness"])]
    usual = (drop_in["initialisation"] == own["initialisation"]) & (drop_in["rate"] == own["rate"])
    counted = statistics.usable(drop_in)
    base = counted[usual.loc[counted.index]].set_index(["layer", "seed"])["psnr_db"]
    found = []
    for (start, rate), part in drop_in[~usual].groupby(["initialisation", "rate"], sort=False):
        change = (statistics.usable(part).set_index(["layer", "seed"])["psnr_db"] - base).dropna()
        name = f"rate {rate:g}" if start == own["initialisation"] else f"{start} start"
        for layer, values in change.groupby(level="layer", sort=False):
            found.append({"setting": name, "layer": layer, "shift_db": values.mean(), "seeds": len(values)})
    return pd.DataFrame(found, columns=["setting", "layer", "shift_db", "seeds"])


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


def scores(here: pd.DataFrame, moved: pd.DataFrame) -> pd.DataFrame:
    """A task's layers, best first: place, PSNR, difference, and the same by other fairness, start and learning rate."""
    first = usual(here)
    table = pd.DataFrame({"layer": first["layer"], "place": first["place"], "PSNR (dB)": first["psnr_db"]})
    table["95 %"] = [_between(*ends) for ends in zip(first["psnr_low_db"], first["psnr_high_db"], strict=True)]
    ends = zip(first["difference_db"], first["difference_low_db"], first["difference_high_db"], strict=True)
    table["against"] = [_with_interval(*each, "+.2f") for each in ends]
    own = here.iloc[0]
    others = here[(here["initialisation"] == own["initialisation"]) & (here["rate"] == own["rate"])]
    for fairness, name in MATCHED.items():
        part = others[others["fairness"] == fairness]
        if len(part) and fairness != own["fairness"]:
            table[name] = list(_at(part, first["layer"]))
    for name, part in moved.groupby("setting", sort=False):
        change = part.set_index("layer")["shift_db"].reindex(first["layer"])
        table[f"{name}, {part['seeds'].max()} seeds"] = ["" if pd.isna(value) else f"{value:+.2f}" for value in change]
    table["seeds"] = first["seeds"]
    if here["collapsed"].sum():
        table["collapsed"] = list(here.groupby("layer")["collapsed"].sum().reindex(first["layer"]))
    return table.reset_index(drop=True)


def _at(part: pd.DataFrame, layers: "pd.Series[Any]") -> list[str]:
    found = part.set_index("layer")["psnr_db"].reindex(layers)
    return ["" if pd.isna(value) else f"{value:.2f}" for value in found]


def _between(low: float, high: float, spec: str = ".2f") -> str:
    return "" if pd.isna(low) else f"{low:{spec}} to {high:{spec}}"


def _with_interval(value: float, low: float, high: float, spec: str) -> str:
    between = f" ({_between(low, high, spec)})" if not pd.isna(low) else ""
    return "" if pd.isna(value) else f"{value:{spec}}{between}"


def costs(here: pd.DataFrame) -> pd.DataFrame:
    """What each layer costs in the tables' own setting, and what its score hides."""
    first = usual(here)
    table = pd.DataFrame({"layer": first["layer"], "MMAC": first["macs"] / 1e6, "parameters": first["parameters"]})
    table["kept for backward (MiB)"] = first["held_bytes"] / 2**20
    for what, column in (("a step", "step_peak_bytes"), ("inference", "infer_peak_bytes")):
        if column in first:  # runs of before have none
            table[f"peak of {what} (MiB)"] = first[column] / 2**20
    table["train (ms)"], table["inference (ms)"] = first["train_ms"], first["infer_ms"]
    ends = zip(first["infer_ratio"], first["infer_ratio_low"], first["infer_ratio_high"], strict=True)
    table["time"] = [_with_interval(*each, ".2f") for each in ends]
    levels = zip(first["start_checkerboard_levels"], first["checkerboard_levels"], strict=True)
    table["checkerboard"] = [f"{start:.1f} -> {end:.1f}" for start, end in levels]
    table["phases"], table["gradient"] = first["phase_ratio"], first["gradient_norm"]
    return table.reset_index(drop=True)


def markdown(table: pd.DataFrame, formats: dict[str, str]) -> str:
    """A table as GitHub has it; what has a format is a number, and a missing one an empty cell."""
    rows = [
        ["" if pd.isna(value) else f"{value:{formats.get(str(name), '')}}" for name, value in row.items()]
        for row in table.to_dict("records")
    ]
    rule = ["---:" if name in formats else "---" for name in table]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [list(map(str, table)), rule, *rows])


def _missing(rows: pd.DataFrame) -> list[str]:
    """Collapsed, failed and skipped trainings with their reasons, equal reasons together."""
    lines = []
    collapsed = rows[statistics.has_collapsed(rows)]
    told = [
        ("collapsed", collapsed, "collapsed"),
        *((s, rows[rows["status"] == s], "reason") for s in ("failed", "skipped")),
    ]
    for what, part, column in told:
        for (layer, reason), group in part.groupby(["layer", column], sort=False):
            lines.append(f"- `{layer}` {what}, {len(group)} of its trainings: {reason}")
    return ["### Not counted", "\n".join(lines)] if lines else []


def claim(rows: pd.DataFrame, others: Sequence[str] = ("bilinear+conv3", REFERENCE)) -> tuple[str, str]:
    """*Transposed convolution keeps more detail and costs more*, judged inside a network: verdict and evidence.

    Drop-in and seed by seed, against the first of `others` that can be compared in every task. The verdict is one of
    `holds`, `does not hold`, `depends` and `not measured`. `rows` are those of `layers.csv`.
    """
    counted = statistics.usable(rows) if len(rows) else rows
    if not len(counted):
        return "not measured", "No network was trained in this run (`upbench layers`)."
    axes = ["fairness", "initialisation", "rate"]
    same = counted[(counted[axes] == counted.iloc[0][axes]).all(axis=1)]
    found = {other: _against(same, other) for other in others}
    other = max(found, key=lambda name: found[name]["task"].nunique())  # the first of equals
    table = found[other]
    if table.empty:
        return (
            "not measured",
            f"This run did not train {' or '.join(others)} and a transposed convolution on two seeds.",
        )
    better, costlier = table["low_db"] > 0, table["ratio_low"] > 1
    verdict = "depends" if (better | costlier).any() else "does not hold"
    told = "; ".join(
        f"{row.task}, `{row.layer}` {row.difference_db:+.2f} dB at {row.ratio:.2f}x the time"
        for row in table.itertuples()
    )
    certain = ", ".join(f"`{row.layer}` ({row.task})" for row in table[better].itertuples()) or "none"
    evidence = f"Against `{other}`: {told}. More detail for certain: {certain}."
    if not costlier.any():
        evidence += " That it costs more does not hold."
    return ("holds" if (better & costlier).all() else verdict), evidence


def _against(rows: pd.DataFrame, other: str) -> pd.DataFrame:
    """Each task's transposed convolutions: difference in dB and ratio of times to another layer, with lower ends."""
    found = []
    for task, here in rows.groupby("task", sort=False):
        psnr = here.pivot_table(index="seed", columns="layer", values="psnr_db")
        times = np.log(here.pivot_table(index="seed", columns="layer", values="infer_ratio"))
        for layer in (name for name in psnr if str(name).startswith("transposed-")):
            difference, low, _ = statistics.paired(psnr, layer, other)
            ratio, ratio_low, _ = (float(np.exp(x)) for x in statistics.paired(times, layer, other))
            found.append((task, layer, difference, low, ratio, ratio_low))
    names = ["task", "layer", "difference_db", "low_db", "ratio", "ratio_low"]
    return pd.DataFrame(found, columns=names).dropna()


def draw(rows: pd.DataFrame, curves: pd.DataFrame, path: Path) -> None:
    """Above: PSNR against inference time with intervals over seeds. Below: learning curves, mean over seeds."""
    summary = statistics.summary(rows)
    tasks = list(dict.fromkeys(summary["task"]))
    layers = list(dict.fromkeys(usual(summary)["layer"]))
    colours = dict(
        zip(
            layers, mpl.colormaps["tab20"](np.arange(len(layers)) * 2 % 20 + np.arange(len(layers)) // 10), strict=False
        )
    )
    figure = Figure(figsize=(5.2 * len(tasks), 8), layout="constrained")
    axes = figure.subplots(2, len(tasks), squeeze=False)
    for column, task in enumerate(tasks):
        _points(axes[0, column], summary[summary["task"] == task], colours)
        _curves(axes[1, column], _counted(curves, rows, task), colours)
        axes[0, column].set_title(f"{task}: up and left is better", fontsize=9)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)


def _points(axis: Axes, here: pd.DataFrame, colours: dict[str, Any]) -> None:
    """Drop-in filled, the others hollow where they are another network. Intervals may leave the panel."""
    own = here.iloc[0]
    same = here[(here["initialisation"] == own["initialisation"]) & (here["rate"] == own["rate"])]
    first = same[same["fairness"] == own["fairness"]].set_index("layer")["psnr_db"]
    for fairness, marker in (("drop-in", "o"), ("matched-macs", "s"), ("matched-parameters", "^")):
        for _, row in same[same["fairness"] == fairness].iterrows():
            x, y, colour = row["infer_ratio"], row["psnr_db"], colours[row["layer"]]
            if fairness != own["fairness"] and y == first.get(row["layer"]):
                continue
            spread = [[max(0, y - row["psnr_low_db"])], [max(0, row["psnr_high_db"] - y)]]
            wide = [[max(0, x - row["infer_ratio_low"])], [max(0, row["infer_ratio_high"] - x)]]
            filled = colour if fairness == "drop-in" else "white"
            label = row["layer"] if fairness == own["fairness"] else None
            axis.errorbar(x, y, spread, wide, marker, color=colour, mfc=filled, label=label, lw=1, ms=7)
    for limits, values in ((axis.set_ylim, same["psnr_db"]), (axis.set_xlim, same["infer_ratio"])):
        room = 0.3 * (values.max() - values.min()) + 0.01
        limits(values.min() - room, values.max() + room)
    axis.set_xlabel(f"inference time over {REFERENCE}'s (filled: drop-in; square: matched MACs)", fontsize=8)
    axis.set_ylabel("PSNR (dB), 95 % over seeds", fontsize=8)
    axis.grid(alpha=0.3)


def _counted(curves: pd.DataFrame, rows: pd.DataFrame, task: str) -> pd.DataFrame:
    """The curves of the trainings that count, of one task in the tables' own setting."""
    if curves.empty:
        return curves
    keys = ["layer", "task", "fairness", "initialisation", "rate", "seed"]
    own = rows.iloc[0]
    same = (rows[["fairness", "initialisation", "rate"]] == own[["fairness", "initialisation", "rate"]]).all(axis=1)
    kept = statistics.usable(rows[same & (rows["task"] == task)])
    return curves.merge(kept[keys], on=keys)


def _curves(axis: Axes, curves: pd.DataFrame, colours: dict[str, Any]) -> None:
    for layer, part in curves.groupby("layer", sort=False) if len(curves) else ():
        mean = part.groupby("step")["psnr_db"].mean()
        axis.plot(mean.index, mean, color=colours.get(str(layer)), lw=1.4)
    axis.set_xlabel("step", fontsize=8)
    axis.set_ylabel("PSNR (dB) on 50 test images", fontsize=8)
    axis.grid(alpha=0.3)


def page(folder: Path) -> str:
    """A page of its own: where it ran, then the section."""
    about = json.loads((folder / "layers.json").read_text(encoding="utf-8"))
    host = json.loads((folder / "host.json").read_text(encoding="utf-8"))["host"]
    asked = about["request"]
    lines = [
        f"- **Data**: {about['description']}.",
        f"- **Training**: {about['steps']} steps of {asked['batch']} images at width {about['width']}, Adam, learning"
        f" rate {asked['rates'][0]:g}, one thread, on {about['device']}.",
        f"- **Host**: {host['cpu']}, {host['cores']} cores, {host['system']}, Python {host['python']},"
        f" torch {host['packages']['torch']}, {host['utc']}.",
    ]
    text = told(folder)
    return "\n\n".join(["# Upsampling layers", "\n".join(lines), text or "Nothing was measured."]) + "\n"
