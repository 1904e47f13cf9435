"""What a side is asked to show a change: a script, by itself in a process that has imported torch and done nothing."""

import contextlib
import io
import runpy
from typing import Any

import torch as torch  # so that the mother of the processes has it


class Scripts:
    """Served inside the side's worker (`upbench.bench.workers.serve`)."""

    def run(self, file: str) -> dict[str, Any]:
        """What a script prints."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            runpy.run_path(file, run_name="__main__")
        return {"said": said.getvalue()}
