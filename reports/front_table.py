"""What nothing beats, a row an image with the names that give it, and what each gains against the call of today."""

from upbench.reports import numbers
from upbench.reports.report import Report
from upbench.reports.survey import Image, Name, Time
from upbench.reports.words import (
    Block,
    Said,
    Words,
    cell,
    code,
    fold,
    listed,
    say,
    table,
)

MOST = 8  # rows of the table; a longer front goes on in a fold


def front_table(report: Report, workload: str, groups: list[list[Image]] | None = None) -> list[Block]:
    """One row an image of the front, fastest first, and today's call below them."""
    today = report.survey.today(workload)
    rows = [_row(report, group, workload, today) for group in groups or report.survey.front(workload)]
    titles = ["use", "PSNR (dB)", "SSIM", "time (ms)"]
    last = []
    if today:
        image, name = today
        titles.append(f"against torch's {name.name}")
        last = [
            [
                say("torch's {}, today", code(name.name)),
                cell(numbers.decibels(image.psnr_db), image.psnr_db),
                cell(f"{image.ssim:.4f}", image.ssim),
                cell(
                    numbers.time(name.times[workload], unit=False),
                    name.times[workload].middle,
                    name.times[workload].cell,
                ),
                None,
            ]
        ]
    first, rest = rows[: MOST - len(last)], rows[MOST - len(last) :]
    blocks: list[Block] = [table(titles, [*first, *last], "lrrrl")]
    return [*blocks, *fold(f"{len(rest)} more", [table(titles, rest, "lrrrl")] if rest else [])]


def _row(report: Report, group: list[Image], workload: str, today: tuple[Image, Name] | None) -> list[object]:
    images = [(image, name) for image in group if (name := image.fastest(workload))]
    best, fastest = images[0]
    names = listed([_with_aliases(image, name) for image, name in images], " ≈ ")
    time = fastest.times[workload]
    row: list[object] = [
        names,
        cell(numbers.decibels(best.psnr_db), best.psnr_db),
        cell(f"{best.ssim:.4f}", best.ssim),
        cell(numbers.time(time, unit=False), time.middle, time.cell),
    ]
    return [*row, *([against(best, fastest, workload, today)] if today else [])]


def _with_aliases(image: Image, name: Name) -> Words:
    others = len(image.names) - 1
    if not others:
        return (code(name.name),)
    plain = image.title if image.title != name.name else ""
    if not plain:
        return say("{} (+{})", code(name.name), others)
    return (
        say("{} (as {}, +{})", code(name.name), code(plain), others)
        if others > 1
        else say("{} (as {})", code(name.name), code(plain))
    )


def against(image: Image, name: Name, workload: str, today: tuple[Image, Name]) -> Words:
    """What one gains and what it costs against today's call: +0.35 dB, 2.2× faster."""
    before, call = today
    mine, theirs = name.times[workload], call.times[workload]
    said: list[Said] = []
    if image is before:
        said.append("same pixels")
    else:
        said.append(f"{numbers.difference(image.psnr_db - before.psnr_db)} dB")
    if name is not call:
        said.append(_speed(mine, theirs))
    return listed(said)


def _speed(mine: Time, theirs: Time) -> str:
    if mine.shorter(theirs):
        return f"{numbers.factor(theirs, mine)} faster"
    if theirs.shorter(mine):
        return f"{numbers.factor(mine, theirs)} slower"
    return "as fast"
