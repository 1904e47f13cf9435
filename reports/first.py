"""The first screen: what to use, what it costs against today's call, and whether anything is suspicious."""

from functools import partial

from upbench.reports import numbers, plain, plot_front
from upbench.reports.report import Report
from upbench.reports.survey import Image, Name, Time
from upbench.reports.words import (
    Block,
    Bullets,
    Heading,
    Paragraph,
    Picture,
    Said,
    Words,
    bold,
    cell,
    code,
    fold,
    heading,
    link,
    listed,
    paragraph,
    say,
    table,
    text,
)

MOST = 8  # rows of the first table; a longer front goes on in a fold


def section(report: Report) -> list[Block]:
    """Findings in sentences, one table of what nothing beats, and the figure."""
    blocks: list[Block] = [Paragraph(about(report))]
    if findings := [*_findings(report), *plain.findings(report), *_trust(report)]:
        blocks.append(Bullets(tuple(findings)))
    if not report.fronts:
        return blocks
    first, *others = report.fronts
    blocks += [
        heading("What to use"),
        paragraph(
            "{}. Nothing measured certainly beats these; {} joins what ties in quality and time ({}).",
            bold(_capital(report.title(first))),
            "≈",
            link("rules", "#method"),
        ),
    ]
    blocks += front_table(report, first)
    blocks.append(_figure(report))
    for name in others:
        blocks += fold(say("What to use for {}", report.title(name)), front_table(report, name))
    return [*blocks, *_sooner(report)]


def title(report: Report) -> Heading:
    """The page's title."""
    if report.versions_only:
        return Heading(say("Did the upgrade change anything?"), 1)
    found = report.survey
    if not found.images and (report.run.folder / "layers.csv").is_file():
        return Heading(say("Which upsampling layer?"), 1)
    if not found.images and (report.run.folder / "deploy.csv").is_file():
        return Heading(say("Does it deploy?"), 1)
    place = f"a {report.run.host['gpu']['name']}" if _on_gpu(report) else found.device
    if found.device == "cpu":
        place = "a CPU, one thread" if found.threads == 1 else f"a CPU, {found.threads} threads"
    return Heading(say("Which upsampler? ×{} on {}", found.scale, place), 1)


def _on_gpu(report: Report) -> bool:
    return report.survey.device.startswith("cuda") and bool(report.run.host.get("gpu"))


def about(report: Report) -> Words:
    """What was measured, on what, where: three sentences."""
    found, run = report.survey, report.run
    said: list[Said] = []
    if found.images:
        said.append(_counted(report))
    if len(run.quality):
        count = run.quality["images"].max()
        source = run.about.get("description", "images that the run does not name")
        said.append(say("PSNR and SSIM: {} degradation, means over {}: {}.", found.degradation, _images(count), source))
    if found.workloads:
        said.append(
            "Time: tensor to tensor, conversion included; median, with the middle half of the samples in brackets"
            " where that spans over 20 %."
        )
    if report.host:
        said.append(say("{}.", report.host))
    if report.html:
        said.append(say("{}.", link("Interactive edition", "report.html")))
    return listed(said, " ")


def _counted(report: Report) -> Words:
    found = report.survey
    names, missing = sum(len(image.names) for image in found.images), _missing(report)
    different = bold(f"{len(found.images)} different images")
    counted = say("{} methods make {}", names, different) if len(report.run.quality) else say("{} methods timed", names)
    return (
        say("{}; {} not measured ({}).", counted, missing, link("why", "#not-measured"))
        if missing
        else (say("{}.", counted))
    )


def _images(count: float) -> str:
    return f"{count:,.0f} images" if count > 0 else "its images"


def _missing(report: Report) -> int:
    run = report.run
    found = set(run.quality.loc[run.quality["status"] != "ok", "method"]) if len(run.quality) else set()
    found |= {str(name).partition("/")[0] for name in run.cells.loc[run.cells["status"] != "ok", "cell"]}
    return len(found - {name.name for image in report.survey.images for name in image.names})


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


def _figure(report: Report) -> Picture:
    found, shown = report.survey, report.fronts[: plot_front.PANELS]
    titles = {name: f"{_capital(report.short(name))}, {report.shape(name)}" for name in shown}
    names = [text(image.quickest(shown[0])[0].name) for group in found.front(shown[0]) for image in group]
    below = [plain for plain in ("nearest", "bilinear", "bicubic") if found.of(plain)]
    shows = (
        f"PSNR against time for {len(found.images)} images on {' and '.join(report.short(name) for name in shown)}."
        f" A staircase joins what nothing beats: {', '.join(names)}."
        + (f" Torch's {', '.join(below)} are ringed." if below else "")
    )
    return Picture("front", shows, partial(plot_front.draw, found, shown, titles))


def _findings(report: Report) -> list[Words]:
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


def _trust(report: Report) -> list[Words]:
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


def _sooner(report: Report) -> list[Block]:
    """For torch's own names: the fastest name of the same pixels on each workload."""
    rows = []
    for image in report.survey.images:
        called = torchs(image)
        if called and len(image.names) > 1 and called.times:
            rows.append([code(called.name), *(_fastest(report, image, called, name) for name in report.workloads)])
    if not rows:
        return []
    titles = ["you call", *(report.short(name) for name in report.workloads)]
    return [heading("The same pixels, sooner", 3), table(titles, rows[:MOST], "l" * len(titles))]


def torchs(image: Image) -> Name | None:
    """The name of torch's own that gives the image, its title where that is one."""
    named = image.called(image.title)
    own = [name for name in image.names if name.family == "torch"]
    return named if named in own else next(iter(own), None)


def quicker(report: Report, called: Name, fastest: Name, workload: str) -> str:
    """How many times faster than the call, by their duet where they had one; nothing where it is not certain."""
    duel = report.duels.get((workload, called.name, fastest.name))
    if duel is not None:
        ends = f"{numbers.times(1 / duel.high)[:-1]} to {numbers.times(1 / duel.low)[:-1]}"
        return f"{numbers.times(1 / duel.ratio)} ({ends})" if duel.high < 1 else ""
    mine, theirs = called.times[workload], fastest.times[workload]
    return numbers.factor(mine, theirs) if theirs.shorter(mine) else ""


def _fastest(report: Report, image: Image, called: Name, workload: str) -> Words:
    fastest = image.fastest(workload)
    if not fastest or workload not in called.times:
        return ()
    factor = quicker(report, called, fastest, workload)
    return say("{} {}", code(fastest.name), factor) if factor else say("keep it")


def _capital(said: str) -> str:
    return said[:1].upper() + said[1:]
