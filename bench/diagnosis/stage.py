"""The diagnosis stage: `diagnostics.csv`, a row a method and scale, and `response.csv`."""

from pathlib import Path

from upbench.bench.adapters import resolve
from upbench.bench.devices import device
from upbench.bench.diagnosis.request import DiagnosisRequest
from upbench.bench.diagnosis.targets import COLUMNS, RESPONSE_COLUMNS, diagnose
from upbench.bench.stage import Outcome, Progress, Row, concluded
from upbench.bench.store import write_csv


def run(request: DiagnosisRequest, out: Path, progress: Progress) -> Outcome:
    """Measure every method at every scale; write `diagnostics.csv` and `response.csv`."""
    place = device(request.device)
    tasks = [(adapter, scale) for scale in request.scales for adapter in resolve(request.methods, request.method)]
    rows: list[Row] = []
    responses: list[Row] = []
    with progress.bar("diagnose", "row", len(tasks)) as bar:
        for adapter, scale in tasks:
            row, response = diagnose(adapter, scale, place)
            rows.append(row)
            responses += response
            bar.step(adapter.name)
    write_csv(out / "diagnostics.csv", rows, COLUMNS)
    write_csv(out / "response.csv", responses, RESPONSE_COLUMNS)
    return concluded("diagnose", rows, progress)
