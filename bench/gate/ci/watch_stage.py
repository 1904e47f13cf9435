"""A night's watch as a stage: measure or take tonight's comparisons, append them to the history, look for changes.

`watch.json` holds the series and the changes as the report draws them. The stage ends red where tonight settles that a
cell has become slower; older changes are told again, and end nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from upbench.bench.errors import UsageError
from upbench.bench.gate import stage
from upbench.bench.gate.ci import changes, changes_by_ruptures, github, history
from upbench.bench.gate.ci.changes import Change, Point
from upbench.bench.gate.ci.requests import WatchRequest
from upbench.bench.gate.releases import bisect_stage
from upbench.bench.gate.releases.request import BisectRequest
from upbench.bench.gate.request import ENVIRONMENTS
from upbench.bench.gate.sides.requirements import RELEASE
from upbench.bench.stage import Ending, Outcome, Progress
from upbench.bench.store import read_json, write_json

Series = Mapping[str, Sequence[Point]]


def run(request: WatchRequest, out: Path, progress: Progress) -> Outcome:
    """Append, search, say; raises `UsageError` where there is nothing to look at."""
    measured = (out,) if request.duet else ()
    if request.duet and stage.run(request.duet, out, progress).ending is Ending.FAILED:
        progress.warn("some cells could not be measured tonight; they have no row.")
    known, complaints = history.read(request.history)
    for complaint in complaints:
        progress.warn(complaint)
    rows = [row for folder in (*request.folders, *measured) for row in _nights(folder)]
    added = history.append(request.history, rows, known)
    nights, _ = history.read(request.history)
    if not nights:
        raise UsageError(f"{request.history} holds no night; give a folder that upbench duet has written.")
    series = changes.series(nights)
    progress.say(f"history: {added} rows added to {len(known)}, {len(series)} cells against {nights[0].anchor}.")
    found = [change for branch, points in series.items() for change in _find(request, branch, points)]
    write_json(out / "watch.json", _document(nights[0].anchor, series, found))
    _tell(series, found, progress)
    tonight = {row.time for row in rows} or {nights[-1].time}
    new = [change for change in found if change.told in tonight]
    github.tell("upbench watch", [sentence(change) for change in new])
    if request.bisect:
        _bisect(request, [change for change in new if _are_releases(change)], out, progress)
    ending = Ending.REGRESSION if any(change.ratio > 1 for change in new) else Ending.OK
    return Outcome(stage="watch", ending=ending, rows=[asdict(change) for change in found])


def _nights(folder: Path) -> list[history.Night]:
    comparisons = read_json(folder / "versions.json").get("comparisons", [])
    try:
        return [night for comparison in comparisons for night in history.nights(comparison)]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UsageError(f"{folder} holds no night as upbench writes it ({error!r}); measure it again.") from error


def _find(request: WatchRequest, branch: str, points: Sequence[Point]) -> list[Change]:
    if request.by == "ruptures":
        return changes_by_ruptures.find(branch, points)
    return changes.find(branch, points, request.confirm)


def _document(anchor: str, series: Series, found: Sequence[Change]) -> dict[str, object]:
    points = {branch: [asdict(point) for point in mine] for branch, mine in series.items()}
    return {"anchor": anchor, "series": points, "changes": [asdict(change) for change in found]}


def _tell(series: Series, found: Sequence[Change], progress: Progress) -> None:
    """Say where images and where times changed, and what to do next."""
    for branch, points in series.items():
        for one, other in changes.other_bits(points):
            progress.say(f"{branch}: other bits in the image between {one.candidate} and {other.candidate}.")
    for change in found:
        progress.say(f"{sentence(change)}\n  {next_step(change)}")
    if not found:
        progress.say("no change in any cell.")


def _bisect(request: WatchRequest, found: Sequence[Change], out: Path, progress: Progress) -> None:
    """Look for the release behind each change; a cell whose method is not installed cannot be asked."""
    where = request.duet.environments if request.duet else ENVIRONMENTS
    for change in found:
        try:
            asked = BisectRequest(cell=change.branch, good=change.before, bad=change.after, environments=where)
            bisect_stage.run(asked, out, progress)
        except UsageError as error:
            progress.warn(f"{change.branch} cannot be bisected: {error}")


def sentence(change: Change) -> str:
    """What is said of a change, for people."""
    word = "slower" if change.ratio > 1 else "faster"
    return (
        f"{change.branch}: {change.ratio - 1:+.1%} [{change.low - 1:+.1%}, {change.high - 1:+.1%}], {word}"
        f" from {change.after} on (before: {change.before})."
    )


def next_step(change: Change) -> str:
    """The command that looks closer."""
    if _are_releases(change):
        return f"upbench bisect --cell {change.branch} --good {change.before} --bad {change.after}"
    method = change.branch.partition("/")[0]
    return f"upbench duet --baseline {change.before} --candidate {change.after} --methods {method}"


def _are_releases(change: Change) -> bool:
    return all(RELEASE.fullmatch(name) and ".dev" not in name for name in (change.before, change.after))
