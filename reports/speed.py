"""What a call costs: figures of every name, samples of the front, a plain copy as the yardstick, tables in the HTML."""

import math
from collections.abc import Sequence
from functools import partial

from upbench.bench.cells import COPY
from upbench.reports import numbers, speed_plots
from upbench.reports.report import Report
from upbench.reports.survey import Image
from upbench.reports.words import Block, Picture, Rich, Words, capital, cell, code, fold, heading, paragraph, say, table

ROWS = 40  # images in a figure
PANELS = 2


def section(report: Report) -> list[Block]:
    """Words and the heat map, then in folds the times of every name, the samples of the front, and the tables."""
    found = report.survey
    if not found.workloads:
        return []
    blocks: list[Block] = [heading("Times")]
    blocks.append(paragraph("A call is timed in blocks of at least 2 ms. {}", _yardsticks(report)))
    images = [image for image in found.images if any(image.time(name) for name in found.workloads)][:ROWS]
    shown = report.workloads[:PANELS]
    titles = {name: f"{report.short(name)}, {report.shape(name)}" for name in report.workloads}
    alt = (
        f"Times of {sum(len(image.names) for image in images)} names in {len(images)} rows, one an image, on"
        f" {' and '.join(report.short(name) for name in shown)}; the large mark is an image's fastest name"
    )
    blocks += fold(
        "Every name's time, a row an image",
        [Picture("times", alt, partial(speed_plots.strips, found, images, shown, titles))],
    )
    blocks += _heat(report, images)
    blocks += _distributions(report)
    tables: list[Block] = []
    for name in report.workloads:
        tables += fold(f"Times for {report.title(name)}, ×{found.scale}", [_table(report, name)])
    return [*blocks, Rich((*tables, *_others(report)))]


def _yardsticks(report: Report) -> Words:
    rates = [
        f"a copy far beyond the caches moves {numbers.significant(row['copy'] / 1e9)} GB/s on {row['device']} with"
        f" {row['threads']} CPU thread(s), a write alone {numbers.significant(row['write'] / 1e9)} GB/s"
        for row in report.run.bandwidth.to_dict("records")
    ]
    if not rates:
        return say("This run did not measure the bandwidth of memory.")
    return say("{}.", capital("; ".join(rates)))


def _table(report: Report, workload: str) -> Block:
    """Every name on a workload, fastest first."""
    cells = {str(row["cell"]): row for row in report.run.speed.to_dict("records") if "cell" in row}
    timed = sorted(
        ((image, name, name.times[workload]) for image in report.survey.images for name in image.timed(workload)),
        key=lambda each: (each[2].middle, each[1].name),
    )
    converts = any(time.conversion > 0 for _, _, time in timed)
    copy = report.survey.copies.get(workload)
    titles = ["method", "image", "ms", "middle half (ms)"]
    titles += [
        *(["of it conversion (ms)"] if converts else []),
        "Mpx/s",
        *(["÷ a copy"] if copy else []),
        "of light",
        "grade",
    ]
    rows = []
    for image, name, time in timed:
        row = cells.get(time.cell, {})
        light = row.get("light_share", math.nan)
        rows.append(
            [
                code(name.name),
                code(image.title),
                cell(numbers.milliseconds(time.middle), time.middle, time.cell),
                f"{numbers.milliseconds(time.low)} to {numbers.milliseconds(time.high)}",
                *(
                    [cell(numbers.milliseconds(time.conversion) if time.conversion else "", time.conversion)]
                    if converts
                    else []
                ),
                cell(
                    numbers.significant(row.get("megapixels", math.nan) / time.middle),
                    row.get("megapixels", 0) / time.middle,
                ),
                *([cell(numbers.times(time.middle / copy), time.middle / copy)] if copy else []),
                cell(f"{light:.0%}" if math.isfinite(light) else "", light),
                ": ".join(report.grades.get(time.cell, ("", ""))).removesuffix(": "),
            ]
        )
    return table(titles, rows, "ll" + "r" * (len(titles) - 3) + "l", search=True)


def _others(report: Report) -> list[Block]:
    """Cells beyond the main setting: other dtypes, formats, modes, passes, threads, devices and scales."""
    speed = report.run.speed
    if speed.empty:
        return []
    axes = ["scale", "device", "dtype", "memory_format", "mode", "step", "threads"]
    rest = speed[(speed[axes] != speed.iloc[0][axes]).any(axis=1) & (speed["method"] != COPY)]
    if rest.empty:
        return []
    varying = [axis for axis in axes if speed[axis].nunique() > 1]
    rows = []
    for row in rest.sort_values(["workload", "seconds"], kind="stable").to_dict("records"):
        settings = [str(row[axis]) for axis in varying]
        total = row["seconds"] + row["conversion_seconds"]
        rows.append(
            [
                code(row["method"]),
                report.short(row["workload"]),
                *settings,
                cell(numbers.milliseconds(total), total, str(row.get("cell", ""))),
            ]
        )
    titles = ["method", "workload", *(axis.replace("_", " ") for axis in varying), "ms"]
    return fold(
        f"{len(rows)} times in other settings", [table(titles, rows, "l" * (len(titles) - 1) + "r", search=True)]
    )


def _heat(report: Report, images: Sequence[Image]) -> list[Block]:
    """Images by workloads, each time over a plain copy's."""
    found = report.survey
    workloads = [name for name in report.workloads if name in found.copies]
    if len(workloads) < 3 or len(images) < 2:
        return []
    titles = {name: f"{name}\n{report.shape(name)}" for name in workloads}
    alt = (
        f"Heat map of {len(images)} images by {len(workloads)} workloads: time over that of a plain copy of the output"
    )
    return fold(
        "How far from a plain copy, by workload",
        [Picture("copies", alt, partial(speed_plots.heat, found, images, workloads, titles))],
    )


def _distributions(report: Report) -> list[Block]:
    """The samples of the front's fastest names on the first workload."""
    if not report.fronts:
        return []
    workload = report.fronts[0]
    front = [image for group in report.survey.front(workload) for image in group]
    today = report.survey.today(workload)
    timed = [(image.fastest(workload), image.time(workload)) for image in front]
    rows = [(name.name, name.family, report.run.raw.get(time.cell, ()), time) for name, time in timed if name and time]
    if today and today[1].name not in [row[0] for row in rows]:
        time = today[1].times[workload]
        rows.append((today[1].name, today[1].family, report.run.raw.get(time.cell, ()), time))
    rows = [row for row in rows if len(row[2])]
    if not rows:
        return []
    alt = f"Every sample of {', '.join(row[0] for row in rows)} on {report.short(workload)}, as a share of its median"
    return fold(
        f"Every sample of the front on {report.short(workload)}",
        [Picture("samples", alt, partial(speed_plots.samples_drawn, rows))],
    )
