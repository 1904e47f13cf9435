"""What was not measured, and why: a row a reason."""

from collections.abc import Iterable

from upbench.reports.report import Report
from upbench.reports.words import Block, code, fold, heading, listed, paragraph, say, table

MOST = 12
NAMED = 6

COMMANDS = {
    "quality.csv": ("quality and the images", "upbench quality"),
    "diagnostics.csv": ("what a mean hides", "upbench diagnose"),
    "speed.json": ("times", "upbench speed"),
    "versions.json": ("torch versions", "upbench duet"),
}


def section(report: Report) -> list[Block]:
    """One row a reason, and the stages that this folder holds nothing of, with the command that makes each."""
    rows = [
        [
            reason or "no reason was kept",
            status,
            str(len(names)),
            listed(
                [*(code(name) for name in names[:NAMED]), *([f"{len(names) - NAMED} more"] if names[NAMED:] else [])]
            ),
        ]
        for (reason, status), names in _reasons(report).items()
    ]
    absent = [(what, command) for name, (what, command) in COMMANDS.items() if not (report.run.folder / name).is_file()]
    blocks: list[Block] = []
    titles = ["reason", "status", "methods", "names"]
    if rows:
        blocks.append(table(titles, rows[:MOST], "llrl"))
        blocks += fold(f"{len(rows) - MOST} more reasons", [table(titles, rows[MOST:], "llrl")] if rows[MOST:] else [])
    if absent:
        missing = listed((say("{} ({})", what, code(command)) for what, command in absent), "; ")
        blocks.append(paragraph("This folder holds nothing of: {}.", missing))
    return [heading("Not measured"), *blocks] if blocks else []


def _reasons(report: Report) -> dict[tuple[str, str], list[str]]:
    """Reason and status -> the methods that have it, the most common first."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for name, status, reason in _all(report):
        found.setdefault((reason, status), {})[name] = None
    ordered = sorted(found.items(), key=lambda each: -len(each[1]))
    return {key: list(names) for key, names in ordered}


def _all(report: Report) -> Iterable[tuple[str, str, str]]:
    run = report.run
    for frame in (run.quality, run.diagnostics):
        if len(frame):
            for row in frame[frame["status"] != "ok"].to_dict("records"):
                yield str(row["method"]), str(row["status"]), _reason(row["reason"])
    for row in run.cells[run.cells["status"] != "ok"].to_dict("records"):
        yield str(row["cell"]).partition("/")[0], str(row["status"]), _reason(row["reason"])


def _reason(value: object) -> str:
    return "" if value is None or value != value else str(value)
