"""The first screen: what to use, what it costs against today's call, and whether anything is suspicious."""

from functools import partial

from upbench.reports import findings, plain, plot_front, same_pixels
from upbench.reports.front_table import front_table
from upbench.reports.report import Report
from upbench.reports.words import (
    Block,
    Bullets,
    Heading,
    Paragraph,
    Picture,
    Said,
    Words,
    bold,
    capital,
    fold,
    heading,
    link,
    listed,
    paragraph,
    say,
    text,
)


def section(report: Report) -> list[Block]:
    """Findings in sentences, one table of what nothing beats, and the figure."""
    blocks: list[Block] = [Paragraph(about(report))]
    if said := [*findings.findings(report), *plain.findings(report), *findings.trust(report)]:
        blocks.append(Bullets(tuple(said)))
    if not report.fronts:
        return blocks
    first, *others = report.fronts
    blocks += [
        heading("What to use"),
        paragraph(
            "{}. Nothing measured certainly beats these; {} joins what ties in quality and time ({}).",
            bold(capital(report.title(first))),
            "≈",
            link("rules", "#method"),
        ),
    ]
    blocks += front_table(report, first)
    blocks.append(_figure(report))
    for name in others:
        blocks += fold(say("What to use for {}", report.title(name)), front_table(report, name))
    return [*blocks, *same_pixels.blocks(report)]


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


def _figure(report: Report) -> Picture:
    found, shown = report.survey, report.fronts[: plot_front.PANELS]
    titles = {name: f"{capital(report.short(name))}, {report.shape(name)}" for name in shown}
    names = [text(image.quickest(shown[0])[0].name) for group in found.front(shown[0]) for image in group]
    below = [plain for plain in ("nearest", "bilinear", "bicubic") if found.of(plain)]
    shows = (
        f"PSNR against time for {len(found.images)} images on {' and '.join(report.short(name) for name in shown)}."
        f" A staircase joins what nothing beats: {', '.join(names)}."
        + (f" Torch's {', '.join(below)} are ringed." if below else "")
    )
    return Picture("front", shows, partial(plot_front.draw, found, shown, titles))
