"""`upbench merge`: result folders of several hosts -> a folder for each kind of host, and one page for all kinds."""

from collections import Counter
from pathlib import Path

from upbench.bench.errors import UsageError
from upbench.bench.fleet import fits, joining
from upbench.bench.fleet.request import MergeRequest
from upbench.bench.lock import alone_in_its_folder
from upbench.bench.stage import Ending, Outcome, Progress
from upbench.reports import joined
from upbench.reports.files import ReportError
from upbench.reports.frame import read


@alone_in_its_folder
def run(request: MergeRequest, out: Path, progress: Progress) -> Outcome:
    """Join what fits; raises `UsageError` for a folder that is damaged, newer, or of another protocol, data, package.

    Nothing is written before all folders are found to fit.
    """
    runs = [fits.opened(folder) for folder in request.folders]
    fits.check(runs)
    names = dict(zip((str(run.folder) for run in runs), _names(request.folders), strict=True))
    kinds = fits.by_kind(runs)
    try:
        for kind, group in kinds.items():
            twice = joining.join({names[str(run.folder)]: run for run in group}, out / kind)
            again = f"; {twice} rows were there twice, of which the first measured one is kept" if twice else ""
            progress.say(f"{kind}: {', '.join(names[str(run.folder)] for run in group)}{again}.")
        for left in sorted({name for run in runs for name in joining.LEFT if (run.folder / name).is_file()}):
            progress.warn(f"{left} is a series in time and is not joined; read it where it lies.")
        page = joined.write([read(out / kind) for kind in kinds], out)
    except ReportError as error:
        raise UsageError(str(error)) from error
    progress.say(f"report: {page}; upbench report {out / next(iter(kinds))} writes a kind's own.")
    return Outcome(stage="merge", ending=Ending.OK)


def _names(folders: tuple[Path, ...]) -> list[str]:
    """Each host by its folder; folders of one name by their place too."""
    often = Counter(folder.name for folder in folders)
    return [folder.name if often[folder.name] == 1 else str(folder) for folder in folders]
