"""What a pull request is told: `comment.md`, made from the comparisons of `versions.json`.

The verdict stands in the first line, then what changed, what to do next, and folded away the rest; at the end where it
was measured and how sure it is. Names and reasons are strangers' text and are set as code (`escaping`). GitHub takes
no comment over 65,536 characters: rows that find no room are counted instead.
"""

from collections.abc import Iterator, Sequence
from statistics import median

from upbench.bench.gate.ci.escaping import code
from upbench.bench.gate.outcome import Record, by_severity, counts, memory_ratio, short, title
from upbench.bench.gate.pixels import CHANGED
from upbench.bench.gate.sides.requirements import RELEASE
from upbench.bench.gate.verdict import Verdict

LIMIT = 65_000  # leaves room for what the posting job adds
SPARE = 6_000  # of it for everything but the tables
REASON = 300  # characters of a cell's reason
NAME = 200
TOLD = ("SLOWER", "FAILED", "BIMODAL", "FASTER")
HEAD = "| cell | verdict | time | 95 % interval | pixels | remark |\n|---|---|---|---|---|---|\n"


def comment(comparisons: Sequence[Record]) -> str:
    """The comment's markdown; the same text is the job's summary."""
    if not any(comparison["cells"] for comparison in comparisons):
        return "### ⚠️ Nothing was compared: no cell was asked for\n"
    room = (LIMIT - SPARE) // len(comparisons)
    head = [] if len(comparisons) == 1 else [f"### {headline(max(comparisons, key=_weight))}"]
    return "\n\n".join([*head, *(_part(comparison, room) for comparison in comparisons)])[:LIMIT] + "\n"


def _weight(comparison: Record) -> tuple[int, ...]:
    found = counts(comparison)
    return tuple(found[name] for name in ("SLOWER", "FAILED", CHANGED, "BIMODAL", "UNRESOLVED", "FASTER"))


def headline(comparison: Record) -> str:
    """The verdict in one line."""
    found, cells = counts(comparison), len(comparison["cells"])
    said = [
        f"{number} {words}"
        for number, words in (
            (found["SLOWER"], "slower"),
            (found["FAILED"], "failed"),
            (found[CHANGED], "with other pixels"),
            (found["BIMODAL"], "in two groups"),
            (found["FASTER"], "faster"),
            (found["UNRESOLVED"], "not resolved"),
        )
        if number
    ]
    what = f"of {cells} cells: " + ", ".join(said) if said else f"nothing changed in {cells} cells"
    if cells and found["SKIPPED"] == cells:
        what = f"none of {cells} cells could be measured"
    planted = ", with slowdowns PLANTED" if comparison["planted"] else ""
    return f"{mark(comparison)} {code(title(comparison))}: {what}{planted}"


def mark(comparison: Record) -> str:
    """Red for a confirmed slowdown only."""
    found = counts(comparison)
    if found["SLOWER"]:
        return "❌"
    doubtful = found["FAILED"] or found[CHANGED] or found["UNRESOLVED"] or found["BIMODAL"]
    return "⚠️" if doubtful or found["SKIPPED"] == len(comparison["cells"]) else "✅"


def _part(comparison: Record, room: int) -> str:
    told = [cell for cell in by_severity(comparison) if _is_told(cell)]
    rest = [cell for cell in by_severity(comparison) if not _is_told(cell)]
    changed = _table(told, room * 2 // 3)
    folded = _table(rest, room - len(changed))
    others = f"The other {len(rest)} cells" if told else f"All {len(rest)} cells"
    parts = [f"### {headline(comparison)}", changed, _next(comparison, told)]
    if rest:
        parts.append(f"<details><summary>{others}</summary>\n\n{folded}\n\n</details>")
    return "\n\n".join(filter(None, [*parts, *_sure(comparison), *_where(comparison)]))


def _is_told(cell: Record) -> bool:
    return cell["verdict"] in TOLD or (cell["pixels"] or {}).get("status") == CHANGED


def _table(cells: Sequence[Record], room: int) -> str:
    """As many rows as there is room for, and how many there are besides."""
    if not cells:
        return ""
    rows: list[str] = []
    used = len(HEAD)
    for cell in cells:
        row = _row(cell)
        if used + len(row) + 1 > room:
            return f"{HEAD}{''.join(rows)}\nand {len(cells) - len(rows)} cells more, which {code('versions.json')} has."
        rows.append(row)
        used += len(row)
    return (HEAD + "".join(rows)).rstrip("\n")


def _row(cell: Record) -> str:
    measured = cell["ratio"] is not None
    verdict = f"**{cell['verdict']}**" if cell["verdict"] in ("SLOWER", "FAILED") else cell["verdict"]
    time = f"{cell['ratio'] - 1:+.1%}" if measured else ""
    interval = f"{cell['low'] - 1:+.1%} to {cell['high'] - 1:+.1%}" if measured else ""
    name = code(short(cell["cell"])[:NAME]) + (" PLANTED" if cell["planted"] != 1 else "")
    return f"| {name} | {verdict} | {time} | {interval} | {_pixels(cell)} | {'; '.join(_remarks(cell))} |\n"


def _pixels(cell: Record) -> str:
    pixels = cell["pixels"] or {}
    if pixels.get("status") != CHANGED:
        return "same" if pixels.get("status") == "identical" else str(pixels.get("status", ""))
    steps = f"{pixels['steps']} 8-bit steps" if "steps" in pixels else ""
    return f"**CHANGED** by up to {pixels['largest']:.2g}, {steps}, {pixels['psnr_change_db']:+.3f} dB"


def _remarks(cell: Record) -> Iterator[str]:
    if cell["reason"]:
        yield code(cell["reason"][:REASON])
    memory = memory_ratio(cell)
    if memory is not None and abs(memory - 1) > 0.01:
        yield f"peak memory {memory - 1:+.0%}"
    if cell.get("spread") is not None:
        yield f"spread between hosts {cell['spread']:.1%}"
    for host in cell.get("hosts", ()):
        time = "" if host["ratio"] is None else f" {host['ratio'] - 1:+.1%}"
        yield f"{code(host['host'])} {host['verdict']}{time}"


def _next(comparison: Record, told: Sequence[Record]) -> str:
    """What to do about it, in one sentence with its command."""
    found = counts(comparison)
    if found["SLOWER"]:
        slower = next(cell for cell in told if cell["verdict"] == Verdict.SLOWER.value)
        return f"**Next:** {_again(comparison, slower)}"
    if found[CHANGED]:
        return "**Next:** look at the pictures that changed; where it is meant, say so in the change log."
    if found["FAILED"]:
        return "**Next:** the reasons above say why these cells could not be measured; nothing is said of their time."
    if found["UNRESOLVED"] and "hosts" in comparison:
        return "**Next:** what one host says and another does not is no regression yet; a third host tells."
    if found["UNRESOLVED"]:
        command = next((cell["next"]["command"] for cell in comparison["cells"] if cell.get("next")), "--budget")
        return f"**Next:** an open cell is no regression; more time tells: {code(command)}"
    return ""


def _again(comparison: Record, cell: Record) -> str:
    ends = [comparison[side]["label"] for side in ("baseline", "candidate")]
    if all(RELEASE.fullmatch(end) for end in ends):
        command = f"upbench bisect --cell {cell['cell']} --good {ends[0]} --bad {ends[1]}"
        return f"find the release that did it: {code(command)}"
    return f"profile {code(short(cell['cell']))} at {code(ends[0])} and at {code(ends[1])}: it is where most was lost."


def _sure(comparison: Record) -> list[str]:
    found = [cell["detectable"] for cell in comparison["cells"] if cell.get("detectable") is not None]
    said = f"Threshold {comparison['settings']['threshold']:.1%}. "
    if "hosts" in comparison:
        said += "SLOWER and FASTER were confirmed on at least two hosts."
    else:
        said += "SLOWER and FASTER were confirmed by fresh pairs of processes that did not flag them."
    if found:
        said += (
            f" A slowdown of {median(found):.1%} would have been found in half of the cells 19 times in 20,"
            f" one of {max(found):.1%} in every cell."
        )
    return [said + f" {comparison['rounds']} pairs of processes, {comparison['spent']:.0f} s."]


def _where(comparison: Record) -> list[str]:
    if "hosts" in comparison:
        return [f"Measured on {', '.join(map(code, comparison['hosts']))}."]
    host = comparison["candidate"].get("host") or {}
    if not host:
        return []
    versions = host.get("packages", {})
    software = ", ".join(f"{name} {versions[name]}" for name in ("torch", "numpy", "upbench") if name in versions)
    said = f"{host.get('cpu')}, {host.get('cores')} cores, {comparison['settings'].get('threads', 1)} thread"
    return [f"Measured on {code(said)}{' with ' + code(software) if software else ''}."]
