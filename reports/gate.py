"""The section about torch versions: an alert on the first screen, a table of what is not the same, a forest plot."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from upbench.bench.gate import advice
from upbench.bench.gate.edges import words as edge_words
from upbench.bench.gate.outcome import by_severity, counts, memory_ratio, short, title
from upbench.bench.gate.pixels import CHANGED
from upbench.reports.plot_gate import forest
from upbench.reports.report import Report
from upbench.reports.words import (
    Alert,
    Block,
    Bullets,
    Cell,
    Picture,
    Rich,
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
    prose,
    say,
    table,
)

Record = dict[str, Any]

MOST = 12
DRAWN = 40  # cells in a figure, and in a fold of the markdown page
PREFACE = (
    "Time is the candidate's over the baseline's (above 1 is slower), with a 95 % interval over pairs of fresh"
    " processes. SLOWER and FASTER are beyond the threshold and confirmed by pairs that did not flag them; SAME lies"
    " wholly within it; UNRESOLVED neither; BIMODAL falls into two groups. The noise floor is half that interval."
    " Pixels are compared on one image given to both."
)


def alerts(report: Report) -> list[Block]:
    """One a comparison, for the first screen: did anything change?"""
    return [_alert(comparison, "#torch-versions") for comparison in report.run.versions]


def _alert(comparison: Record, details: str) -> Alert:
    found, cells = counts(comparison), comparison["cells"]
    slower, faster, failed = found["SLOWER"], found["FASTER"], found["FAILED"]
    said: list[Said] = [bold(f"{title(comparison).replace('->', '→')}: {_verdict(found, len(cells))}.")]
    if comparison["planted"]:
        said.append(bold("PLANTED: the candidate was made to do more work; not a real difference."))
    notable = [each for each in by_severity(comparison) if each["verdict"] in ("SLOWER", "FASTER")]
    said += [_told(each) for each in notable[:3]]
    if len(notable) > 3:
        said.append(f"And {len(notable) - 3} more.")
    rest = [
        (found["SAME"], "the same"),
        (found["UNRESOLVED"], "unresolved"),
        (found["BIMODAL"], "bimodal"),
        (failed, "failed"),
        (found["SKIPPED"], "skipped"),
    ]
    if notable and any(number for number, _ in rest):
        said.append(f"{', '.join(f'{number} {what}' for number, what in rest if number)}.")
    said.append(_pixels_said(comparison))
    said.append(say("{}.", link("Details", details)))
    kind = "CAUTION" if slower or failed or found[CHANGED] else "NOTE" if faster else "WARNING"
    if found["SAME"] == len(cells) and not found[CHANGED]:
        kind = "TIP"
    return Alert(kind, listed(said, " "))


def _verdict(found: Any, cells: int) -> str:
    if found["SLOWER"] and found["FASTER"]:
        return f"{found['SLOWER']} of {cells} cells slower, {found['FASTER']} faster"
    for verdict, word in (("SLOWER", "slower"), ("FASTER", "faster")):
        if found[verdict]:
            return f"{found[verdict]} of {cells} cells {word}"
    if found["SAME"] == cells:
        return f"all {cells} cells the same"
    others = {"UNRESOLVED": "unresolved", "BIMODAL": "bimodal", "FAILED": "failed", "SKIPPED": "skipped"}
    said = ", ".join(f"{found[verdict]} {word}" for verdict, word in others.items() if found[verdict])
    return f"no confirmed difference in {cells} cells ({said})"


def _told(record: Record) -> Words:
    ratio, low, high = (f"{record[name]:.2f}" for name in ("ratio", "low", "high"))
    return say("{} takes {}× the time (95 %: {} to {}).", code(short(record["cell"])), ratio, low, high)


def _pixels_said(comparison: Record) -> str:
    compared = [each for each in comparison["cells"] if each["pixels"]]
    changed = counts(comparison)[CHANGED]
    if changed:
        return f"Pixels changed in {changed} of {len(compared)}."
    return f"Pixels the same in all {len(compared)}." if compared else "No pixels were compared."


def section(report: Report) -> list[Block]:
    """Each comparison: what is not the same in a table, the rest in a fold, and the intervals drawn."""
    comparisons = report.run.versions
    if not comparisons:
        return []
    blocks: list[Block] = [heading("Torch versions")]
    for number, comparison in enumerate(comparisons):
        blocks += _comparison(comparison, number, several=len(comparisons) > 1)
    return [*blocks, *fold("How versions are compared", [paragraph(PREFACE)])]


def _comparison(comparison: Record, number: int, *, several: bool) -> list[Block]:
    ordered = by_severity(comparison)
    other = [each for each in ordered if each["verdict"] != "SAME" or (each["pixels"] or {}).get("status") == CHANGED]
    same = [each for each in ordered if each not in other]
    blocks: list[Block] = [heading(title(comparison).replace("->", "→"), 3)] if several else []
    if not several:
        blocks.append(paragraph("{}.", bold(title(comparison).replace("->", "→"))))
    if other:
        blocks.append(_table(other[:MOST]))
        blocks += fold(f"{len(other) - MOST} more", [_table(other[MOST:])] if other[MOST:] else [])
    measured = [each for each in ordered if each["ratio"] is not None]
    if measured:
        drawn = measured[:DRAWN]
        alt = f"Ratios of time with 95 % intervals of {len(drawn)} cells, worst on top; the threshold is shaded"
        name = "versions" if number == 0 else f"versions-{number + 1}"
        which = "All ratios" if drawn == measured else f"The {DRAWN} worst of {len(measured)} ratios"
        blocks += fold(f"{which}, drawn", [Picture(name, alt, partial(forest, comparison, drawn))])
    blocks += _unchanged(same)
    return [*blocks, *fold("How this comparison was run", _run(comparison))]


def _unchanged(same: Sequence[Record]) -> list[Block]:
    """Cells that are the same in a fold; those beyond the first in the HTML edition only."""
    shown, rest = same[:DRAWN], same[DRAWN:]
    many = f", the first {DRAWN}" if rest else ""
    blocks = fold(f"{len(same)} cells that are the same{many}", [_table(shown)] if shown else [])
    return [*blocks, *([Rich(tuple(fold(f"The other {len(rest)}", [_table(rest)])))] if rest else [])]


def _run(comparison: Record) -> list[Block]:
    settings = comparison["settings"]
    blocks: list[Block] = [
        paragraph(
            "Threshold {}, {} pairs of processes, {} s.",
            f"{settings['threshold']:.1%}",
            comparison["rounds"],
            f"{comparison['spent']:.0f}",
        )
    ]
    if comparison["planted"]:
        planted = ", ".join(f"{method} x{factor:g}" for method, factor in comparison["planted"].items())
        blocks.append(
            paragraph("PLANTED: the candidate was made to do more work in {}. Not a real difference.", planted)
        )
    if not any("visits" in each for each in comparison["cells"]):
        blocks.append(paragraph("Of this comparison its samples were not kept: only what is told here."))
    if comparison["same"]:
        blocks.append(paragraph("Both sides are the same environment: every difference here is noise."))
    for side in ("baseline", "candidate"):
        if comparison[side].get("torchvision_reason") and comparison[side].get("torchvision") is None:
            blocks.append(paragraph("No torchvision for the {}: {}.", side, comparison[side]["torchvision_reason"]))
    blocks += _differing(comparison)
    blocks += _edges(comparison)
    host = comparison["candidate"]["host"]
    if host:
        allocator = ", ".join(f"{name}={value}" for name, value in host["allocator"].items())
        blocks.append(
            paragraph(
                "Host: {}, {} cores; allocator: {}.", host["cpu"], host["cores"], allocator or "as the system has it"
            )
        )
    return blocks


def _differing(comparison: Record) -> list[Block]:
    """Packages that are of another version beside those that the two labels name."""
    named = " ".join(comparison[side]["label"] for side in ("baseline", "candidate"))
    differing = comparison.get("differing", {})
    others = [f"{name} {one or 'absent'} → {other or 'absent'}" for name, (one, other) in differing.items()]
    others = [said for said in others if said.split()[0] not in (*named.replace("==", " ").split(), "torch")]
    return [paragraph("Other packages differ too: {}.", ", ".join(others))] if others else []


def _edges(comparison: Record) -> list[Block]:
    """What became of the pixels at the edges of the space of shapes, for methods with something to tell."""
    edges = comparison.get("edges", {})
    told = [edge_words.sentence(name, found) for name, found in edges.items() if edge_words.unlike(found)]
    if not told:
        return [paragraph("Pixels at the edges of the space of shapes: no case differs.")] if edges else []
    told_words = tuple(prose(said) for said in told)
    return [paragraph("Pixels at the edges of the space of shapes:"), Bullets(told_words)]


def _table(cells: Sequence[Record]) -> Block:
    """Cell, verdict, ratio with its interval, pixels; memory, instructions and remarks where there are any."""
    memory = any(memory_ratio(each) not in (None, 1) for each in cells)
    counted = any("ratio" in each.get("instructions", {}) for each in cells)
    remarks = any(each["reason"] or each.get("next") for each in cells)
    titles = ["cell", "verdict", "× (95 %)", "noise floor", "pixels"]
    titles += [
        *(["memory"] if memory else []),
        *(["instructions"] if counted else []),
        *(["remark"] if remarks else []),
    ]
    rows = []
    for each in cells:
        peak, instructions = memory_ratio(each), each.get("instructions", {}).get("ratio")
        rows.append(
            [
                listed([code(short(each["cell"])), *(["(PLANTED)"] if each["planted"] != 1 else [])], " "),
                bold(each["verdict"]) if each["verdict"] in ("SLOWER", "FAILED") else str(each["verdict"]),
                _ratio(each),
                cell(f"{each['floor']:.1%}" if each["floor"] is not None else "", each["floor"]),
                _pixels(each),
                *([("same" if peak == 1 else f"{peak:.2f}×") if peak is not None else ""] if memory else []),
                *([f"{instructions:.4f}×" if instructions else ""] if counted else []),
                *([_remark(each)] if remarks else []),
            ]
        )
    return table(titles, rows, "llrrl")


def _ratio(record: Record) -> Cell:
    if record["ratio"] is None:
        return cell(None)
    return cell(f"{record['ratio']:.3f} ({record['low']:.3f} to {record['high']:.3f})", record["ratio"])


def _remark(record: Record) -> str:
    asked = advice.sentence(record["next"]) if record.get("next") else ""
    return "; ".join(filter(None, [record["reason"], asked]))


def _pixels(record: Record) -> Said:
    pixels = record["pixels"]
    if not pixels or pixels["status"] == "identical":
        return str(pixels["status"]) if pixels else ""
    if pixels["status"] != CHANGED:
        return f"within rounding ({pixels['ulps']:.1f} ULP)"
    said = (
        f"by up to {pixels['largest']:.2g}, {pixels['steps']} 8-bit steps in {pixels['share']:.1%},"
        f" {pixels['psnr_change_db']:+.3f} dB"
    )
    if record["verdict"] == "FASTER":
        said += "; faster because different"
    return say("{} {}", bold(CHANGED), said)
