"""The diagnosis stage: `diagnostics.csv`, a row a method and scale, and `response.csv`."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from upbench.bench.adapters import Adapter, select
from upbench.bench.devices import device
from upbench.bench.diagnosis.request import DiagnosisRequest
from upbench.bench.diagnosis.targets import COLUMNS, RESPONSE_COLUMNS, diagnose
from upbench.bench.lock import alone_in_its_folder
from upbench.bench.stage import Outcome, Progress, Row, concluded
from upbench.bench.store import write_csv
from upbench.bench.workers.crew import Crew
from upbench.bench.workers.walls import Walls


@alone_in_its_folder
def run(request: DiagnosisRequest, out: Path, progress: Progress) -> Outcome:
    """Measure every method at every scale; write `diagnostics.csv` and `response.csv`."""
    adapters = select(request.methods, request.method)
    rows: list[Row] = []
    responses: list[Row] = []
    with Crew(device(request.device)) as crew, progress.bar("diagnose", "method", len(adapters)) as bar:
        crew.require_own(adapters)
        found = []
        for adapter, by_scale in crew.each(adapters, partial(_diagnosed, request.scales)):
            found.append(by_scale)
            bar.step(adapter.name)
    for of_scale in zip(*found, strict=True):
        for row, response in of_scale:
            rows.append(row)
            responses += response
    write_csv(out / "diagnostics.csv", rows, COLUMNS)
    write_csv(out / "response.csv", responses, RESPONSE_COLUMNS)
    return concluded("diagnose", rows, progress)


def _diagnosed(scales: Sequence[int], walls: Walls, adapter: Adapter) -> list[tuple[Row, list[Row]]]:
    """One method at every scale."""
    return [diagnose(partial(walls.upsampler, adapter, scale), adapter.name, scale, walls.device) for scale in scales]
