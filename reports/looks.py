"""Pictures to judge by: a photograph, the data's own images, the article's exercise, and where each method errs."""

import itertools
import math
from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from upbench.bench.cells import PLAIN
from upbench.reports import theme
from upbench.reports.report import Report
from upbench.reports.theme import Theme
from upbench.reports.words import Block, Picture, Slider, fold, heading, paragraph, text

Array = np.ndarray[Any, Any]
Items = list[tuple[str, Array]]

MOST = 6  # methods in a panel
ARTICLE = ("bilinear", "transposed-bilinear", "pixel-shuffle")
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
ERROR_TOP = 60  # 8-bit levels at the ends of the error maps' scale


def section(report: Report) -> list[Block]:
    """The photograph first; the data's images, the exercise and the errors in folds."""
    samples = report.run.samples
    blocks: list[Block] = []
    crops = _chosen(report, "crop")
    if crops and "photo/high" in samples:
        blocks += _photograph(report, crops)
    blocks += _data(report)
    blocks += _exercise(report)
    return [heading("What it looks like"), *blocks] if blocks else []


def names_shown(report: Report) -> list[str]:
    """Torch's plain methods and the front's, lowest PSNR first: those that a picture is made of."""
    found = report.survey
    front = [image for name in report.fronts for group in found.front(name) for image in group]
    titles = dict.fromkeys([*PLAIN, *(image.title for image in front)])
    images = [image for image in found.images if image.title in titles]
    images = images or list(found.images)
    ordered = sorted(images, key=lambda image: image.psnr_db)
    while len(ordered) > MOST:  # of neighbours in quality, one is enough
        gaps = [after.psnr_db - image.psnr_db for image, after in itertools.pairwise(ordered)]
        removable = [i for i in range(1, len(ordered) - 1) if ordered[i].title not in PLAIN]
        if not removable:
            break
        ordered.pop(min(removable, key=gaps.__getitem__))
    return [image.title for image in ordered]


def _chosen(report: Report, kind: str, also: tuple[str, ...] = ()) -> Items:
    """Title and output of the methods shown, where the run kept one."""
    items = []
    for title in dict.fromkeys([*also, *names_shown(report)]):
        image = report.survey.of(title)
        names = [title, *(name.name for name in image.names)] if image else [title]
        output = next((report.run.samples[f"{kind}/{n}"] for n in names if f"{kind}/{n}" in report.run.samples), None)
        if output is not None:
            items.append((text(title, 40), output))
    return items


def psnr(one: Array, other: Array) -> float:
    """PSNR in dB of 8-bit arrays."""
    error = float(((one.astype(float) - other.astype(float)) ** 2).mean())
    return 10 * math.log10(255**2 / error) if error else math.inf


def _hwc(image: Array) -> Array:
    """`(3, H, W)` as `(H, W, 3)`."""
    turned: Array = image.transpose(1, 2, 0)
    return turned


def _photograph(report: Report, crops: Items) -> list[Block]:
    samples = report.run.samples
    whole, low = _hwc(samples["photo/high"]), _hwc(samples["photo/low"])
    top, left, side = (int(value) for value in samples["photo/window"])
    truth = whole[top : top + side, left : left + side]
    factor = len(whole) // len(low)
    given = low[top // factor : (top + side) // factor, left // factor : (left + side) // factor]
    shown = [(name, _hwc(crop)) for name, crop in crops]
    scores = ", ".join(f"{name} {psnr(crop, truth):.2f} dB" for name, crop in shown)
    alt = f"A photograph and, enlarged, a square of it: original, what the methods got, and at ×{factor}: {scores}"
    errors = (
        f"Signed errors of luma in the same square, blue too dark, red too bright: {', '.join(n for n, _ in shown)}"
    )
    note = (
        "Brought down to a fourth (bicubic) and up again by four. The square of {} pixels is the one in which the"
        " outputs of the methods differ most; below each, PSNR of the square."
    )
    return [
        paragraph(note, side),
        Picture("photograph", alt, partial(_panel, whole, (top, left, side), truth, given, shown)),
        Slider(("original", truth), (("what they got", given), *shown)),
        *fold(
            "Where each errs",
            [Picture("errors", errors, partial(_errors, truth, shown))],
        ),
    ]


def _panel(
    whole: Array, window: tuple[int, int, int], truth: Array, given: Array, shown: Items, colours: Theme
) -> Figure:
    """The photograph with its square framed, and the square of the original, the input, and each method."""
    items = [("original", truth), ("what they got", given), *shown]
    columns = 4
    rows = math.ceil(len(items) / columns)
    tile, gap, head = 1.35, 0.09, 0.42
    wide = theme.WIDTH - columns * tile - columns * gap
    figure = theme.figure(max(rows * (tile + head), wide * len(whole) / whole.shape[1] + 0.9))
    axis = _image(figure, 0, 0.22, wide, wide * len(whole) / whole.shape[1], whole)
    top, left, side = window
    for colour, width in (("white", 3.0), ("black", 1.4)):
        axis.add_patch(Rectangle((left, top), side, side, fill=False, edgecolor=colour, linewidth=width))
    theme.put(figure, 0, 0.02, f"photograph, {whole.shape[1]}×{len(whole)}", weight="semibold")
    best = max(shown, key=lambda item: psnr(item[1], truth))[0]
    for number, (name, image) in enumerate(items):
        row, column = divmod(number, columns)
        x, y = wide + gap + column * (tile + gap), row * (tile + head)
        _image(figure, x, y + 0.22, tile, tile, image)
        theme.put(figure, x, y + 0.02, name, weight="semibold", fontsize=theme.SMALL)
        if number > 1:
            weight = "semibold" if name == best else "normal"
            said = f"{psnr(image, truth):.2f} dB"
            theme.put(figure, x + tile, y + 0.235 + tile, said, ha="right", fontsize=theme.SMALL, weight=weight)
    return figure


def _image(figure: Figure, x: float, y: float, width: float, height: float, image: Array, **style: Any) -> Any:
    axis = theme.axes(figure, x, y, width, height)
    axis.set_axis_off()
    axis.imshow(image, interpolation="none", aspect="auto", **style)
    return axis


def _errors(truth: Array, shown: Items, colours: Theme) -> Figure:
    """Luma of each output less the original's, one symmetric scale."""
    gap = 0.07
    tile = (theme.WIDTH - gap * (len(shown) - 1)) / max(4, len(shown))
    figure = theme.figure(tile + 1.1)
    scale = {"cmap": colours.signed, "vmin": -ERROR_TOP, "vmax": ERROR_TOP}
    for number, (name, image) in enumerate(shown):
        error = (image.astype(float) - truth.astype(float)) @ np.array(LUMA)
        x = number * (tile + gap)
        axis = _image(figure, x, 0.22, tile, tile, error, **scale)
        theme.put(figure, x, 0.02, name, weight="semibold", fontsize=theme.SMALL)
        rms = math.sqrt(float((error**2).mean()))
        theme.put(figure, x + tile / 2, 0.24 + tile, f"rms {rms:.1f}", ha="center", fontsize=theme.SMALL)
    bar = theme.axes(figure, theme.WIDTH * 0.2, tile + 0.5, theme.WIDTH * 0.6, 0.1)
    figure.colorbar(axis.images[0], cax=bar, orientation="horizontal")
    bar.set_xlabel("error of luma in 8-bit levels: negative is too dark, positive too bright", labelpad=2)
    bar.set_frame_on(False)
    return figure


def _data(report: Report) -> list[Block]:
    """Three of the data's images: where plain bicubic gains the median, the most and the least over nearest."""
    samples = report.run.samples
    items = _chosen(report, "pairs")
    if not items or "high" not in samples or len(samples["high"]) < 1:
        return []
    count = min(3, len(samples["high"]))
    chosen = "photo/window" in samples  # older files hold the first images
    which = (["median", "largest", "smallest"] if chosen else ["first", "second", "third"])[:count]
    rows = []
    for index in range(count):
        truth = _hwc(samples["high"][index])
        row: list[tuple[str, Array, str]] = [
            ("original", truth, ""),
            ("what they got", _hwc(samples["low"][index]), ""),
        ]
        row += [(n, _hwc(o[index]), f"{psnr(_hwc(o[index]), truth):.2f} dB") for n, o in items if len(o) > index]
        rows.append(row)
    alt = f"{count} images of the data, upsampled by {', '.join(name for name, _ in items)}, with the PSNR of each"
    note = "From the run's own images: those on which bicubic gains the {} over nearest."
    if not chosen:
        note = "The run's own images, the {}."
    return fold(
        "The data's own images",
        [paragraph(note, ", ".join(which)), Picture("data", alt, partial(_grid, rows, which))],
    )


def _grid(rows: list[list[tuple[str, Array, str]]], labels: list[str], colours: Theme) -> Figure:
    """A row an image, a column a method, its PSNR below."""
    columns, gap, left = max(len(row) for row in rows), 0.06, 0.2
    tile = min(1.35, (theme.WIDTH - left - gap * columns) / columns)
    figure = theme.figure(0.22 + len(rows) * (tile + 0.26))
    for number, (row, label) in enumerate(zip(rows, labels, strict=True)):
        y = 0.22 + number * (tile + 0.26)
        theme.put(
            figure, 0.02, y + tile / 2, label, rotation=90, va="center", fontsize=theme.SMALL, color=colours.muted
        )
        for column, (name, image, said) in enumerate(row):
            x = left + column * (tile + gap)
            _image(figure, x, y, tile, tile, image)
            if not number:
                theme.put(figure, x, 0.02, _cut(name, tile), weight="semibold", fontsize=theme.SMALL)
            theme.put(figure, x + tile, y + tile + 0.02, said, ha="right", fontsize=theme.SMALL)
    return figure


def _cut(name: str, inches: float) -> str:
    """A name no longer than its column."""
    most = max(4, int(inches / 0.073))
    return name if len(name) <= most else name[: most - 1] + "…"


def _exercise(report: Report) -> list[Block]:
    """The article's exercise: 32x32 to 128x128 by its three methods and the front."""
    samples = report.run.samples
    items = _chosen(report, "exercise", ARTICLE)
    if not items or "before" not in samples:
        return []
    before = _hwc(samples["before"][0])
    shown = [(name, _hwc(output[0])) for name, output in items][:9]
    size, after = f"{before.shape[1]}×{before.shape[0]}", f"{shown[0][1].shape[1]}×{shown[0][1].shape[0]}"
    alt = f"An image of {size} at its true size beside {after} by {', '.join(name for name, _ in shown)}"
    note = "The original stands at its true size beside what each method makes of it; {} to {}."
    return fold(
        say_exercise(size, after),
        [paragraph(note, size, after), Picture("exercise", alt, partial(_before_after, before, shown))],
    )


def say_exercise(size: str, after: str) -> str:
    """The fold's summary."""
    return f"The article's exercise: {size} to {after}"


def _before_after(before: Array, shown: Items, colours: Theme) -> Figure:
    """The small original at a quarter of the others' size, true to scale; then each method."""
    columns, gap = 5, 0.09
    tile = (theme.WIDTH - gap * (columns - 1)) / columns
    items: Items = [("before, true size", before), *shown]
    rows = math.ceil(len(items) / columns)
    figure = theme.figure(rows * (tile + 0.3))
    for number, (name, image) in enumerate(items):
        row, column = divmod(number, columns)
        x, y = column * (tile + gap), 0.22 + row * (tile + 0.3)
        side = tile * len(image) / len(shown[0][1])
        _image(figure, x, y, side, side, image)
        theme.put(figure, x, y - 0.2, name, weight="semibold", fontsize=theme.SMALL)
    return figure
