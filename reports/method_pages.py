"""A page a method: what it is, the names that give its pixels, and when to use it; whole pages in the HTML edition."""

import math
from collections.abc import Sequence

from upbench.reports import families, numbers, take_home
from upbench.reports.report import Report
from upbench.reports.survey import Image, Name
from upbench.reports.words import Block, Bullets, Fold, Rich, Words, code, fold, heading, listed, paragraph, say, table

KINDS = {
    "torch": "torch's own, through torch.nn.functional",
    "upbench": "a linear filter of upbench's own, in plain torch",
    "spectral": "a linear method of upbench's own, spectral or iterative",
    "convolution": "a convolution with fixed weights, as layers of networks have it",
    "libraries": "another library's, its conversions counted in",
    "learned": "a small network with weights that upbench trained",
    "yours": "a method that came with this run",
}


def section(report: Report) -> list[Block]:
    """All names by image with their factors; a page each in the HTML edition."""
    images = report.survey.images
    if not images:
        return []
    workloads = report.workloads[:2]
    titles = ["image", *([f"names, {report.short(name)}" for name in workloads] or ["names"]), "when"]
    rows = [[code(image.title), *_names(image, workloads), _when(report, image)] for image in images]
    note = (
        "Names in a row give the same pixels: none of the probe images' differs by more than a quarter of an 8-bit"
        " level. Factors: time over the fastest of the row."
    )
    blocks: list[Block] = [paragraph(note), table(titles, rows, "l" * len(titles), search=True)]
    pages: list[Block] = [_page(report, image) for image in images]
    found = sum(len(image.names) for image in images)
    return [
        heading("Methods"),
        *fold(f"All {found} methods, a row an image", blocks),
        Rich(tuple(fold("A page each", pages))),
    ]


def _names(image: Image, workloads: Sequence[str]) -> list[Words]:
    if not workloads:
        return [listed(code(name.name) for name in image.names)]
    found = []
    for workload in workloads:
        timed = image.timed(workload)
        first = timed[0].times[workload].middle if timed else 1
        others = [name for name in image.names if name not in timed]
        said = [say("{} {}", code(n.name), _factor(n.times[workload].middle / first)) for n in timed]
        found.append(listed([*said, *(code(name.name) for name in others)]))
    return found


def _factor(ratio: float) -> str:
    return "1×" if ratio == 1 else numbers.times(ratio)


def _page(report: Report, image: Image) -> Fold:
    family = (image.called(image.title) or image.names[0]).family
    items = [say("{}.", KINDS[family][:1].upper() + KINDS[family][1:])]
    items.append(say("Names: {}.", listed(say("{} ({})", code(n.name), families.NAMES[n.family]) for n in image.names)))
    if math.isfinite(image.psnr_db):
        figures = f"{numbers.decibels(image.psnr_db)} dB, SSIM {image.ssim:.4f}"
        items.append(say("{}; one image in twenty is below {} dB.", figures, numbers.significant(image.worst_db)))
    for workload in report.workloads:
        timed = image.timed(workload)
        if timed:
            items.append(say("{}: {}.", report.short(workload), listed(_time(name, workload) for name in timed)))
    items.append(_when(report, image))
    name = next((fast for workload in report.workloads if (fast := image.fastest(workload))), image.names[0])
    items.append(say("What to write for {}: {}", code(name.name), take_home.recipe(name.name, report.survey.scale)))
    return Fold((code(image.title),), (Bullets(tuple(items)),))


def _time(name: Name, workload: str) -> Words:
    return say("{} {}", code(name.name), numbers.time(name.times[workload]))


def _when(report: Report, image: Image) -> Words:
    """When to use it, and what beats it where something does."""
    use: list[str] = []
    beaten: dict[str, list[str]] = {}
    for workload in report.fronts:
        if not image.time(workload):
            continue
        where = report.short(workload)
        if any(image in group for group in report.survey.front(workload)):
            use.append(where)
            continue
        better = [other for other in report.survey.rated(workload) if report.survey.beats(other, image, workload)]
        if better:
            beaten.setdefault(max(better, key=lambda other: other.psnr_db).title, []).append(where)
    said = [say("use it: {}", ", ".join(use))] if use else []
    said += [say("{} beats it: {}", code(title), ", ".join(where)) for title, where in beaten.items()]
    return listed(said, "; ") if said else ()
