"""The report: one markdown page that GitHub renders, made from an output folder's files."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from upbench.reports import advice, claims, figures, gate, gpu, quality, sweep, tables
from upbench.reports.frame import Run

CAPTIONS = {
    "quality-speed": "Quality against speed",
    "speed": "Time of every method, with its quartiles",
    "pairs": "Original, low resolution, and each upsampling, with the same zoomed crop",
    "exercise": "A 32x32 image before and after upsampling by four",
    "errors": "Where each method errs",
    "response": "Gain of every method against frequency",
    "scaling": "Time against batch size",
}


def compose(run: Run) -> str:
    """Draw the run's figures into its folder and return the page."""
    drawn = figures.draw_all(run, run.folder / "figures")
    sections: list[Callable[[Run, dict[str, Path]], str]] = [
        _head,
        _advice,
        _headline,
        _pictures,
        _claims,
        _quality,
        _diagnostics,
        _same_pixels,
        _speed,
        _gpu,
        _sweep,
        _selfcheck,
        _versions,
        _not_measured,
        _method,
    ]
    if _versions_only(run):
        sections = [_head, _versions]
    return "\n\n".join(text for section in sections if (text := section(run, drawn))) + "\n"


def headline(run: Run) -> str:
    """The headline table alone, as markdown; empty if neither quality nor speed was measured."""
    if run.quality.empty and run.speed.empty:
        return ""
    table = tables.headline(run.quality, run.speed)
    formats, best = tables.headline_formats(table)
    return tables.markdown(table, formats, best)


def _versions_only(run: Run) -> bool:
    others = (run.quality, run.cells, run.sweep)
    return bool(run.versions) and not run.selfcheck and all(frame.empty for frame in others)


def _figure(name: str, drawn: dict[str, Path]) -> str:
    return f"![{CAPTIONS[name]}](figures/{drawn[name].name})" if name in drawn else ""


def _head(run: Run, drawn: dict[str, Path]) -> str:
    lines = ["# Upsampling: " + ("torch versions compared" if _versions_only(run) else "quality and speed"), ""]
    if run.about:
        lines.append(f"- **Data**: {run.about['description']}; quality on {run.about['device']}.")
    if not run.speed.empty:
        devices = ", ".join(dict.fromkeys(run.speed["device"]))
        threads = ", ".join(str(count) for count in dict.fromkeys(run.speed["threads"]))
        lines.append(f"- **Speed**: on {devices}, {threads} CPU thread(s).")
    if run.host:
        lines.append(f"- **Host**: {describe_host(run)}")
    return "\n".join(lines)


def describe_host(run: Run) -> str:
    """Where it ran, in one line."""
    host = run.host
    gpu = host.get("gpu")
    device = f"{gpu['name']} (CUDA {gpu['cuda']}, driver {gpu['driver']}), " if gpu else ""
    packages = host["packages"]
    return (
        f"{device}{host['cpu']}, {host['cores']} cores, {host['system']}, Python {host['python']},"
        f" torch {packages['torch']}, upbench {packages.get('upbench', '?')}, {host['utc']}."
    )


def _advice(run: Run, drawn: dict[str, Path]) -> str:
    """What to use, for people who read no further."""
    parts = []
    for workload in dict.fromkeys(tables.main_speed(run.speed)["workload"]) if len(run.speed) else ():
        points = advice.candidates(run.quality, run.speed, workload)
        if len(points):
            lines = [*advice.sentences(advice.front(points)), *advice.switch_sentences(points)]
            parts.append(f"**{workload}**: nothing measured beats these in both quality and time.\n")
            parts.append("\n".join(f"- {line}" for line in lines) + "\n")
    return "## What to use\n\n" + "\n".join(parts).rstrip() if parts else ""


def _headline(run: Run, drawn: dict[str, Path]) -> str:
    table = headline(run)
    if not table:
        return ""
    what = []
    if not run.quality.empty:
        first = run.quality.iloc[0]
        what.append(f"quality: degradation {first['degradation']}, x{first['scale']}")
    chosen = tables.main_speed(run.speed)
    if not chosen.empty:
        first = chosen.iloc[0]
        what.append(
            f"time: x{first['scale']}, {first['device']}, {first['dtype']}, {first['memory_format']},"
            f" {first['mode']}, {first['step']}, {first['threads']} thread(s)"
        )
    return f"## Headline\n\n{'; '.join(what)}. Best in bold.\n\n{table}\n\n{_figure('quality-speed', drawn)}"


def _pictures(run: Run, drawn: dict[str, Path]) -> str:
    found = [_figure(name, drawn) for name in ("exercise", "pairs", "errors") if name in drawn]
    note = "Methods whose outputs differ by no more than three 8-bit levels share a picture."
    return "\n\n".join(["## Pictures", note, *found]) if found else ""


def _claims(run: Run, drawn: dict[str, Path]) -> str:
    lines = ["## The article's claims", ""]
    for number, claim in enumerate(claims.check(run), 1):
        lines.append(f"{number}. *{claim.text}* **{claim.verdict.capitalize()}.** {claim.evidence}")
    return "\n".join(lines)


def _quality(run: Run, drawn: dict[str, Path]) -> str:
    return quality.section(run)


def _diagnostics(run: Run, drawn: dict[str, Path]) -> str:
    return quality.diagnosis(run, _figure("response", drawn))


def _same_pixels(run: Run, drawn: dict[str, Path]) -> str:
    return quality.same_pixels(run)


def _speed(run: Run, drawn: dict[str, Path]) -> str:
    if run.speed.empty:
        return ""
    parts = [
        "## Speed",
        "Median time of a call over blocks of at least 2 ms; spread is the interquartile range over the median;"
        " megapixels are output pixels, channels not counted; *of copy speed* is the time of a plain copy of the"
        " output over the method's time.",
        *filter(None, [_light(run)]),
        _figure("speed", drawn),
    ]
    for (workload, scale), cells in run.speed.groupby(["workload", "scale"], sort=False):
        table = tables.markdown(tables.speed_by(cells), tables.SPEED_FORMATS)
        parts.append(f"### {workload}, x{scale}\n\n{table}")
    return "\n\n".join(parts)


def _light(run: Run) -> str:
    """The yardsticks, in words."""
    lines = [
        f"On {row['device']} with {row['threads']} CPU thread(s), a copy far beyond the caches moves"
        f" {row['copy'] / 1e9:.4g} GB/s (read and written), a write alone {row['write'] / 1e9:.4g} GB/s."
        for _, row in run.bandwidth.iterrows()
    ]
    meaning = (
        "*Of light* is the least time in which the method's input and output could move at the copy's bandwidth,"
        " over its time; above 100 % the data stayed in a cache."
    )
    return " ".join([*lines, meaning]) if lines else ""


def _gpu(run: Run, drawn: dict[str, Path]) -> str:
    return gpu.section(run.speed)


def _sweep(run: Run, drawn: dict[str, Path]) -> str:
    return sweep.section(run.sweep, _figure("scaling", drawn))


def _selfcheck(run: Run, drawn: dict[str, Path]) -> str:
    """What `upbench selfcheck` found, as it was found."""
    if "checks" not in run.selfcheck:
        return ""
    table = pd.DataFrame(run.selfcheck["checks"])
    columns = ["what", "unit", "expected", "measured", "error", "spread", "limit", "verdict", "reason"]
    formats = {"expected": ".5g", "measured": ".5g", "error": "+.2%", "spread": ".2%", "limit": ".0%"}
    return f"## Self-check of the clocks\n\n{tables.markdown(table[columns], formats)}"


def _versions(run: Run, drawn: dict[str, Path]) -> str:
    return gate.section(run.versions, f"figures/{drawn['versions'].name}") if "versions" in drawn else ""


def _not_measured(run: Run, drawn: dict[str, Path]) -> str:
    table = tables.not_measured(run.quality, run.cells)
    return "" if table.empty else f"## Not measured\n\n{tables.markdown(table)}"


def _method(run: Run, drawn: dict[str, Path]) -> str:
    lines = ["## How it was measured", ""]
    if run.about:
        lines += [str(run.about["protocol"]), ""]
    host = run.speed_host or run.host
    if host:
        allocator = ", ".join(f"{name}={value}" for name, value in host["allocator"].items())
        lines.append(f"CPU capability {host['cpu_capability']}; allocator: {allocator or 'as the system has it'}.")
    return "\n".join(lines).rstrip()
