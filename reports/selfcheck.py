"""What `upbench selfcheck` found."""

from typing import Any

from upbench.reports import numbers
from upbench.reports.report import Report
from upbench.reports.words import Block, fold, heading, paragraph, table


def section(report: Report) -> list[Block]:
    """The verdict in a sentence, every check in a fold."""
    checks = report.run.selfcheck.get("checks", [])
    if not checks:
        return []
    good = sum(check["verdict"] == "ok" for check in checks)
    rows = [_row(check) for check in checks]
    titles = ["what", "unit", "expected", "measured", "error", "spread", "limit", "verdict", "reason"]
    return [
        heading("Are the clocks right?"),
        paragraph("{} of {} checks are within their limits.", good, len(checks)),
        *fold("Every check", [table(titles, rows, "llrrrrrll")]),
    ]


def _row(check: dict[str, Any]) -> list[str]:
    shares = {"error": "{:+.2%}", "spread": "{:.2%}", "limit": "{:.0%}"}
    formatted = [form.format(check[name]) if check[name] is not None else "" for name, form in shares.items()]
    values = [
        numbers.significant(check[name], 5) if check[name] is not None else "" for name in ("expected", "measured")
    ]
    return [str(check["what"]), str(check["unit"]), *values, *formatted, str(check["verdict"]), str(check["reason"])]
