"""Take it home: for each finding, what to write in one's own code."""

from collections.abc import Iterable

from upbench.reports import families
from upbench.reports.report import Report
from upbench.reports.words import Block, Bullets, Words, code, heading, listed, say

INTERPOLATE = {
    "nearest": 'mode="nearest"',
    "nearest-exact": 'mode="nearest-exact"',
    "area": 'mode="area"',
    "bilinear": 'mode="bilinear"',
    "bilinear-align-corners": 'mode="bilinear", align_corners=True',
    "bilinear-antialias": 'mode="bilinear", antialias=True',
    "bicubic": 'mode="bicubic"',
    "bicubic-align-corners": 'mode="bicubic", align_corners=True',
    "bicubic-antialias": 'mode="bicubic", antialias=True',
}
WEIGHTS = ("learned-", "wiener")  # how names begin of methods that come with weights


def section(report: Report) -> list[Block]:
    """A line a way of calling, with the methods that a reader was just told to use."""
    named = list(dict.fromkeys([*_front(report), *_sooner(report)]))
    if not named:
        return []
    scale = report.survey.scale
    lines = [say("{}: {}", code(name), recipe(name, scale)) for name in named if name in INTERPOLATE]
    notes = {
        _printed: "prints a module without any import of upbench, which checks by itself that its pixels are the same",
        _weighted: "writes such a module, and its weights beside it",
        _of_a_library: "prints the library's own call as such a module",
    }
    for kind, note in notes.items():
        if found := [name for name in named if kind(name)]:
            lines.append(say("{}: {} {}.", _names(found), recipe(found[0], scale), note))
    strangers = [name for name in named if families.of(name) == "yours"]
    lines += [say("{}: {}", code(name), recipe(name, scale)) for name in strangers]
    return [heading("Take it home"), Bullets(tuple(lines))]


def _names(names: Iterable[str]) -> Words:
    return listed(code(name) for name in names)


def _printed(name: str) -> bool:
    ours = families.of(name) in ("torch", "upbench", "spectral", "convolution")
    return ours and name not in INTERPOLATE and not _weighted(name)


def _weighted(name: str) -> bool:
    return name.startswith(WEIGHTS)


def _of_a_library(name: str) -> bool:
    return families.of(name) == "libraries"


def _front(report: Report) -> list[str]:
    return [
        name.name
        for workload in report.fronts
        for group in report.survey.front(workload)
        for image in group
        if (name := image.fastest(workload))
    ]


def _sooner(report: Report) -> list[str]:
    found = []
    for image in report.survey.images:
        for called in (name for name in image.names if name.family == "torch"):
            for workload in report.workloads:
                fastest = image.fastest(workload)
                if fastest and workload in called.times and fastest.times[workload].shorter(called.times[workload]):
                    found.append(fastest.name)
    return found


def recipe(name: str, scale: int) -> Words:
    """What one writes to call a method; `x` is `(N, C, H, W)` on [0, 1]."""
    if name in INTERPOLATE:
        return (code(f"F.interpolate(x, scale_factor={scale}, {INTERPOLATE[name]})"),)
    if families.of(name) == "yours":
        return say("the factory that you named")
    return (code(f"upbench code {name} --scale {scale}{' --out FILE.py' if _weighted(name) else ''}"),)
