"""Room for many releases of torch on a normal disk: two environments at a time, of 5 GB each."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from upbench.bench.gate.releases.request import AtlasRequest
from upbench.bench.gate.sides import environments
from upbench.bench.store import Journal

MADE = "made"  # rows of the journal: environments that are ours to remove, also after an interruption


class Space:
    """Makes the environments of an atlas, and removes those that it made itself once they are no longer needed."""

    def __init__(self, request: AtlasRequest, journal: Journal) -> None:
        """Nothing is made yet; `journal` remembers what is."""
        self.request, self.journal = request, journal

    def make(self, releases: Sequence[str]) -> None:
        """What is missing of these releases' environments; raises `UsageError` where one cannot be made."""
        cache, python = self.request.environments, self.request.python
        for folder in environments.folders(releases, cache, python=python):
            if not environments.is_ready(folder):
                self.journal.append({"comparison": MADE, "folder": str(folder)})
        spare = not self.request.keep_environments
        environments.environments(releases, cache, python=python, spare=spare)

    def free(self, needed: Sequence[str]) -> None:
        """Remove what we made, but for the environments of the releases that are needed next."""
        if self.request.keep_environments:
            return
        kept = environments.folders(needed, self.request.environments, python=self.request.python)
        made = {Path(row["folder"]) for row in self.journal.rows if row["comparison"] == MADE}
        for folder in made - set(kept):
            shutil.rmtree(folder, ignore_errors=True)
