"""The figure of the first screen: quality against time, what nothing beats joined by a staircase."""

import itertools
import math
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from upbench.bench.cells import PLAIN
from upbench.reports import numbers, places, theme
from upbench.reports.survey import Image, Name, Survey
from upbench.reports.theme import MARKERS, Theme

FAR_DB = 2.2  # so far below torch's worst plain method, an image is named and not drawn
PANELS = 2
HEIGHT = 4.7
LEFT, TOP, PANEL, GAP = 0.45, 0.72, 3.85, 0.1  # inches


def draw(found: Survey, workloads: list[str], titles: dict[str, str], colours: Theme) -> Figure:
    """A panel for each of the first two workloads, one scale of PSNR."""
    workloads = workloads[:PANELS]
    figure = theme.figure(HEIGHT)
    rated = {name: found.rated(name) for name in workloads}
    floor = _floor([image for images in rated.values() for image in images])
    width = PANEL if len(workloads) > 1 else 2 * PANEL + GAP
    tall = HEIGHT - TOP - 0.55
    for number, workload in enumerate(workloads):
        axis = theme.axes(figure, LEFT + number * (width + GAP), TOP, width, tall)
        _panel(axis, found, workload, floor, colours)
        axis.set_title(titles[workload], pad=10)
        if number:
            axis.tick_params(axis="y", labelleft=False)
    _same_scale(figure.axes, floor)
    figure.axes[0].set_ylabel(f"PSNR (dB), {found.degradation}, ×{found.scale}", labelpad=2)
    for axis, workload in zip(figure.axes, workloads, strict=True):
        _name(axis, found, workload, floor, colours)
    families = {name.family for images in rated.values() for image in images for name in image.names}
    theme.legend(figure, colours, families)
    return figure


def _floor(images: list[Image]) -> float:
    """The lowest PSNR that is drawn to scale."""
    plain = [image.psnr_db for image in images if image.title in PLAIN]
    lowest = min(plain) if plain else max(image.psnr_db for image in images) - 6
    drawn = [image.psnr_db for image in images if image.psnr_db >= lowest - FAR_DB / 2]
    return min(drawn, default=lowest)


def _panel(axis: Any, found: Survey, workload: str, floor: float, colours: Theme) -> None:
    images = [image for image in found.rated(workload) if image.psnr_db >= floor]
    front = [image for group in found.front(workload) for image in group]
    for image in images:
        for name in reversed(image.timed(workload)):
            fastest = name is image.fastest(workload)
            time = name.times[workload]
            style: dict[str, Any] = {"color": colours.families[name.family], "zorder": 4 if fastest else 2}
            style["alpha"] = 1 if fastest else 0.35
            if fastest and time.high > 1.02 * time.low:
                axis.plot([time.low, time.high], [image.psnr_db] * 2, linewidth=2, solid_capstyle="butt", **style)
            size = 72 if image in front and fastest else 30 if fastest else 16
            edge = {"edgecolors": colours.page, "linewidths": 0.6}
            axis.scatter(time.middle, image.psnr_db, size, marker=MARKERS[name.family], **edge, **style)
    for plain in PLAIN:
        known = found.of(plain)
        named = known.called(plain) if known else None
        if known and named and workload in named.times and known.psnr_db >= floor:
            ring = {"facecolors": colours.page, "edgecolors": colours.families["torch"], "linewidths": 1.6}
            axis.scatter(named.times[workload].middle, known.psnr_db, 60, marker="o", zorder=5, **ring)
    _stairs(axis, found, workload, floor, colours)
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(LogLocator(10, numticks=6))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(theme.duration))
    axis.set_xlabel("time of a call (log); bars: middle half of the samples")
    axis.grid(axis="y")
    times = [name.times[workload].middle for image in images for name in image.timed(workload)]
    axis.set_xlim(min(times) / 2.6, max(times) * 3)


def _stairs(axis: Any, found: Survey, workload: str, floor: float, colours: Theme) -> None:
    """From each image of the front to the next better one: right along its quality, then up."""
    steps: list[tuple[float, float]] = []
    best = -math.inf
    for group in found.front(workload):
        for image in sorted(group, key=lambda image: image.psnr_db):
            time = image.time(workload)
            if time and image.psnr_db > max(best, floor - 1e-9):
                best = image.psnr_db
                steps.append((time.middle, best))
    if steps:
        x, y = [point[0] for point in steps] + [1e9], [point[1] for point in steps] + [best]
        axis.step(x, y, where="post", color=colours.muted, linestyle=(0, (4, 2)), linewidth=1.1, zorder=1, gid="stairs")


def _same_scale(panels: list[Any], floor: float) -> None:
    top = max(axis.dataLim.y1 for axis in panels)
    for axis in panels:
        axis.set_ylim(floor - 0.28 * (top - floor), top + 0.1 * (top - floor))


def _name(axis: Any, found: Survey, workload: str, floor: float, colours: Theme) -> None:
    """Names for the front and for torch's plain methods; what is off the scale, in words below."""
    figure = axis.figure
    wanted: list[tuple[str, float, float, dict[str, Any]]] = []
    for group in found.front(workload):
        shown = [image for image in group if image.psnr_db >= floor]
        if shown:
            said = _joined([name.name for image in shown if (name := image.fastest(workload))])
            time = shown[0].time(workload)
            style = {"weight": "semibold", "fontsize": theme.SMALL, "color": colours.ink}
            wanted.append((said, time.middle if time else 0, max(i.psnr_db for i in shown), style))
    for plain in PLAIN:
        image = found.of(plain)
        named = image.called(plain) if image else None
        if image and named and workload in named.times and image.psnr_db >= floor:
            if any(plain in said.split(" ≈ ") for said, *_ in wanted):
                continue
            style = {"fontsize": theme.SMALL, "color": colours.families["torch"]}
            wanted.append((f"torch {plain}", named.times[workload].middle, image.psnr_db, style))
    note = _off_scale(axis, found, workload, floor, colours)
    taken = _marks(axis, found, workload, floor)
    if note:
        taken.append(_extent(note))
    halo = {"facecolor": colours.page, "alpha": 0.75, "edgecolor": "none", "pad": 0.6}
    texts = [
        axis.text(x, y, said, va="bottom", ha="left", zorder=8, bbox=halo, **style) for said, x, y, style in wanted
    ]
    points = [axis.transData.transform((x, y)) for _, x, y, _ in wanted]
    sizes = [_extent(each) for each in texts]
    labels = [
        places.Label(float(point[0]), float(point[1]), box[2] - box[0], box[3] - box[1])
        for point, box in zip(points, sizes, strict=True)
    ]
    bounds = axis.get_window_extent()
    boxes = places.place(
        labels, taken, (bounds.x0 + 2, bounds.y0 + 2, bounds.x1 - 2, bounds.y1 + 6), _stair_boxes(axis)
    )
    for each, box, label in zip(texts, boxes, labels, strict=True):
        each.set_position(axis.transData.inverted().transform((box[0], box[1])))
        end = places.nearest(box, label.x, label.y)
        if math.dist(end, (label.x, label.y)) > 12:
            line = axis.transData.inverted().transform([end, (label.x, label.y)])
            axis.plot(line[:, 0], line[:, 1], color=colours.muted, linewidth=0.8, zorder=3)
    assert figure is not None


def _joined(names: list[str]) -> str:
    return " ≈ ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _off_scale(axis: Any, found: Survey, workload: str, floor: float, colours: Theme) -> Any:
    below = [image for image in found.rated(workload) if image.psnr_db < floor]
    if not below:
        return None
    said = ", ".join(f"{image.title} {numbers.significant(image.psnr_db)} dB" for image in below[:3])
    more = f" and {len(below) - 3} more" if len(below) > 3 else ""
    place = {"transform": axis.transAxes, "ha": "right", "va": "bottom"}
    return axis.text(0.99, 0.015, f"off the scale: {said}{more}", fontsize=theme.SMALL, color=colours.muted, **place)


def _marks(axis: Any, found: Survey, workload: str, floor: float) -> list[places.Box]:
    """What labels must not cover: markers and their bars."""
    drawn = [image for image in found.rated(workload) if image.psnr_db >= floor]
    return [_around(axis, image, name, workload) for image in drawn for name in image.timed(workload)]


def _around(axis: Any, image: Image, name: Name, workload: str) -> places.Box:
    """The box of a marker, and of its bar where it has one."""
    time, fastest = name.times[workload], name is image.fastest(workload)
    half = 6.0 if fastest else 3.0
    ends = [(time.low, image.psnr_db), (time.middle, image.psnr_db), (time.high, image.psnr_db)]
    (low, y), (middle, _), (high, _) = axis.transData.transform(ends)
    left, right = (min(low, middle - half), max(high, middle + half)) if fastest else (middle - half, middle + half)
    return left, y - half, right, y + half


def _stair_boxes(axis: Any) -> list[places.Box]:
    """The staircase in pieces, as thin boxes."""
    stairs = next((line for line in axis.lines if line.get_gid() == "stairs"), None)
    if stairs is None:
        return []
    bounds = axis.get_window_extent()
    corners = axis.transData.transform(list(zip(*stairs.get_data(), strict=True)))
    boxes = []
    for (x0, y0), (x1, y1) in itertools.pairwise(corners):
        end = min(x1, bounds.x1)
        boxes += [(x0, y0 - 2, end, y0 + 2), (end - 2, min(y0, y1), end + 2, max(y0, y1))]
    return boxes


def _extent(artist: Any) -> places.Box:
    box = artist.get_window_extent()
    return float(box.x0), float(box.y0), float(box.x1), float(box.y1)
