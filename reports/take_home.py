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
WEIGHTS = ("learned-", "wiener")


def section(report: Report) -> list[Block]:
    """A line a way of calling, with the methods that a reader was just told to use."""
    named = list(dict.fromkeys([*_front(report), *_sooner(report)]))
    if not named:
        return []
    scale = report.survey.scale
    lines = [say("{}: {}", code(name), recipe(name, scale)) for name in named if name in INTERPOLATE]
    printed = [name for name in named if name not in INTERPOLATE and _printed(name)]
    if printed:
        note = "prints a module without any import of upbench, which checks by itself that its pixels are the same"
        lines.append(say("{}: {} {}.", _names(printed), recipe(printed[0], scale), note))
    weighted = [name for name in named if name.startswith(WEIGHTS)]
    if weighted:
        lines.append(say("{}: {}", _names(weighted), recipe(weighted[0], scale)))
    others = [name for name in named if name not in INTERPOLATE and name not in printed and name not in weighted]
    lines += [say("{}: {}", code(name), recipe(name, scale)) for name in others]
    return [heading("Take it home"), Bullets(tuple(lines))]


def _names(names: Iterable[str]) -> Words:
    return listed(code(name) for name in names)


def _printed(name: str) -> bool:
    return families.of(name) in ("torch", "upbench", "spectral", "convolution") and not name.startswith(WEIGHTS)


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
    if _printed(name):
        return (code(f"upbench code {name} --scale {scale}"),)
    if name.startswith(WEIGHTS):
        factory = f"from upbench.methods.{_module(name)}"
        return say("its weights come with upbench: {}, then {}", code("pip install upbench"), code(factory))
    if families.of(name) == "libraries":
        return say("the library's own call, as {} has it", code(f"upbench.methods.libraries.{_library(name)}"))
    return say("the factory that you named")


def _module(name: str) -> str:
    if name == "wiener":
        return "wiener import wiener"
    return f"learned import {name.removeprefix('learned-').replace('-', '_')}"


def _library(name: str) -> str:
    return next(
        (each for each in ("resize_right", "torch_interpol", "torchlanc") if name.replace("-", "_").startswith(each)),
        name.partition("-")[0],
    )
