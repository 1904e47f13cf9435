"""How it was measured: the rules of what differs, the protocol, and what times depend on besides."""

from upbench.reports.report import Report
from upbench.reports.words import Block, Bullets, Words, code, fold, heading, listed, paragraph, say

RULES = (
    "Ties. A is faster than B only if A's third quartile lies under B's first and the medians differ by 5 %. Quality is"
    " better only by 0.05 dB or more, with a 95 % interval (bootstrap over the same images) without zero. The front"
    " keeps what nothing beats: certainly better in one, at least tied in the other."
)

TIMES = (
    "Times are medians over blocks of calls of at least 2 ms, in a process of its own, with garbage collection off."
    " Megapixels are output pixels, channels not counted. A plain copy is one of the output. Of light: the least time"
    " in which input and output could move at the bandwidth of a copy far beyond the caches, over the time; above 100 %"
    " the data stayed in a cache."
)


def section(report: Report) -> list[Block]:
    """Three sentences; the rest in a fold."""
    if not report.survey.images:
        return []
    return [heading("Method"), paragraph(RULES), *fold("Protocol and host", _protocol(report))]


def _protocol(report: Report) -> list[Block]:
    run = report.run
    blocks: list[Block] = [paragraph("{}", run.about["protocol"])] if "protocol" in run.about else []
    if len(run.speed):
        blocks.append(paragraph(TIMES))
    host = run.speed_host or run.host
    if host:
        blocks.append(Bullets(tuple(_host(host))))
    return blocks


def _host(host: dict[str, object]) -> list[Words]:
    packages, allocator = host.get("packages"), host.get("allocator")
    lines = [
        say(
            "{}, {} cores, CPU capability {}, {}, Python {}.",
            *(str(host.get(name, "unknown")) for name in ("cpu", "cores", "cpu_capability", "system", "python")),
        )
    ]
    if isinstance(packages, dict):
        lines.append(say("Packages: {}.", listed(code(f"{name} {version}") for name, version in packages.items())))
    if isinstance(allocator, dict):
        said = ", ".join(f"{name}={value}" for name, value in allocator.items())
        lines.append(say("Allocator: {}.", said or "as the system has it"))
    return lines
