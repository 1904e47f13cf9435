"""The joining of several machines' comparisons as a stage -> `versions.json` and `comment.md`."""

from collections import Counter
from pathlib import Path

from upbench.bench.errors import UsageError
from upbench.bench.gate import stage
from upbench.bench.gate.ci import joined
from upbench.bench.gate.ci.comment import comment
from upbench.bench.gate.ci.requests import VerdictRequest
from upbench.bench.gate.outcome import Record, title
from upbench.bench.stage import Outcome, Progress
from upbench.bench.store import read_json, write_json, write_text


def run(request: VerdictRequest, out: Path, progress: Progress) -> Outcome:
    """Join each comparison over the folders; ends as a comparison does: red for confirmed slowdowns only."""
    found = [_comparisons(folder) for folder in request.folders]
    if len({len(each) for each in found}) > 1:
        raise UsageError("The folders hold different numbers of comparisons; join runs of the same command.")
    try:
        comparisons = [_join(request, together) for together in zip(*found, strict=True)]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UsageError(
            f"A versions.json is not as upbench writes it ({error!r}); measure that runner again."
        ) from error
    write_json(out / "versions.json", {"comparisons": comparisons})
    write_text(out / "comment.md", comment(comparisons))
    return stage.conclude(comparisons, progress)


def _comparisons(folder: Path) -> list[Record]:
    found: list[Record] = read_json(folder / "versions.json").get("comparisons", [])
    if not any(comparison.get("cells") for comparison in found):
        raise UsageError(f"{folder} holds no cell that was compared; nothing can be joined with it.")
    return found


def _join(request: VerdictRequest, comparisons: tuple[Record, ...]) -> Record:
    if not joined.alike(comparisons):
        one, other = list(dict.fromkeys(title(each) for each in comparisons))[:2]
        raise UsageError(f"One folder compares {one}, another {other}; join runs of the same command.")
    return joined.join(comparisons, _names(request.folders, comparisons))


def _names(folders: tuple[Path, ...], comparisons: tuple[Record, ...]) -> list[str]:
    """Each host by its folder and processor; folders of one name by their place too."""
    often = Counter(folder.name for folder in folders)
    names = [folder.name if often[folder.name] == 1 else str(folder) for folder in folders]
    cpus = [(each["candidate"].get("host") or {}).get("cpu", "unknown") for each in comparisons]
    return [f"{name} ({cpu})" for name, cpu in zip(names, cpus, strict=True)]
