"""The findings of the first screen, in sentences, and whether anything is suspicious."""

from upbench.reports import numbers
from upbench.reports.front_table import against
from upbench.reports.report import Report
from upbench.reports.same_pixels import quicker
from upbench.reports.survey import Image, Name
from upbench.reports.words import (
    Said,
    Words,
    bold,
    code,
    link,
    listed,
    say,
)


def findings(report: Report) -> list[Words]:
    """Best value, fastest, best quality, and pixel shuffle, on the first workload."""
    if not report.fronts:
        return []
    workload = report.fronts[0]
    found = report.survey
    front = [image for group in found.front(workload) for image in group]
    today = found.today(workload)
    lines = []
    if today:
        lines += _instead(report, today, front, workload)
    fastest = min(front, key=lambda image: image.quickest(workload)[1].middle)
    best = max(front, key=lambda image: image.psnr_db)
    ends = [("Fastest", fastest), *([("Best quality", best)] if best is not fastest else [])]
    said = [say("{}: {}", bold(what), _quality_in_time(image, workload)) for what, image in ends]
    lines.append((*listed(said, "; "), *say(".")))
    return [*lines, *_shuffle(report, workload)]


def _quality_in_time(image: Image, workload: str) -> Words:
    name, time = image.quickest(workload)
    return say("{}, {} dB in {}", code(name.name), numbers.decibels(image.psnr_db), numbers.seconds(time.middle))


def _instead(report: Report, today: tuple[Image, Name], front: list[Image], workload: str) -> list[Words]:
    before, call = today
    said: list[Said] = []
    same = before.fastest(workload)
    factor = quicker(report, call, same, workload) if same else ""
    if same and factor:
        said.append(say("{} gives the same pixels {} faster", code(same.name), factor))
    better = [image for image in front if report.survey.better(image, before)]
    cheaper = [image for image in better if image.quickest(workload)[1].shorter(call.times[workload])]
    if cheaper:
        image = max(cheaper, key=lambda image: image.psnr_db)
        name, _ = image.quickest(workload)
        said.append(say("{} gives {}", code(name.name), against(image, name, workload, today)))
    where = f"for {report.short(workload)} on {'a CPU' if report.survey.device == 'cpu' else report.survey.device}"
    if not said:
        return [
            say("{} {}: keep it; nothing certainly better is certainly faster.", bold(f"You call {call.name}"), where)
        ]
    how = link("how to get it", "#take-it-home")
    return [say("{} {}: {} ({}).", bold(f"You call {call.name}"), where, listed(said, "; "), how)]


def _shuffle(report: Report, workload: str) -> list[Words]:
    """Is pixel shuffle worth it?"""
    found = report.survey
    image = found.of("pixel-shuffle")
    name = image.called("pixel-shuffle") if image else None
    fastest = image.fastest(workload) if image else None
    if not image or not name or workload not in name.times or not fastest:
        return []
    mine, theirs = name.times[workload], fastest.times[workload]
    alone = say("its pixels are {}'s ({} dB)", code(image.title), numbers.decibels(image.psnr_db))
    if name is not fastest:
        alone = say("{} and {} takes {} the time", alone, "it", numbers.times(mine.middle / theirs.middle))
        alone = say("{} of {}", alone, code(fastest.name))
    verdict = "not worth it by itself" if theirs.shorter(mine) else "as fast as anything with these pixels"
    said = say("{}: {}; {}.", bold("Pixel shuffle"), verdict, alone)
    other = found.of("pixel-shuffle-bicubic")
    weighted = other.called("pixel-shuffle-bicubic") if other else None
    if other and weighted and workload in weighted.times and (quickest := other.fastest(workload)):
        ratio = weighted.times[workload].middle / quickest.times[workload].middle
        said += say(
            " With bicubic weights before it: {} dB, {} the time of {}.",
            numbers.decibels(other.psnr_db),
            numbers.times(ratio),
            code(quickest.name),
        )
    return [said]


def trust(report: Report) -> list[Words]:
    """Anything suspicious: times that may not be trusted far, a machine that was busy."""
    named = [name for image in report.survey.images for name in image.names]
    graded = {
        time.cell: (name, *report.grades[time.cell])
        for name in named
        for time in name.times.values()
        if time.cell in report.grades
    }
    letters = [letter for _, letter, _ in graded.values()]
    if not any(letter in "CD" for letter in letters):
        return []
    name, _, reason = max(graded.values(), key=lambda found: found[1])
    counts = ", ".join(f"{letters.count(letter)} {letter}" for letter in "ABCD" if letter in letters)
    host = report.run.speed_host or report.run.host
    load, cores = (host.get("load_average") or [0])[0], host.get("cores", 1)
    busy = say(" Load when timing began: {} on {} cores.", f"{load:.1f}", cores) if load > 0.75 * cores else ()
    said = say(
        "{}: grades of {} times: {}; for example {} ({}).",
        bold("How steady"),
        len(letters),
        counts,
        code(name.name),
        reason,
    )
    return [said + busy]
