"""A run with planted figures, written as files and read as the report reads them."""

import functools
import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from upbench.bench.cells import Cell, workload
from upbench.bench.diagnosis.targets import COLUMNS as DIAGNOSIS
from upbench.bench.quality.evaluate import QUALITY_COLUMNS
from upbench.reports import frame

Figures = Mapping[str, float]


def quality_row(method: str, psnr_db: float | None, **fields: object) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(QUALITY_COLUMNS)
    row |= {"dataset": "photos", "split": "test", "degradation": "bicubic", "scale": 2, "dtype": "float32"}
    row |= {"method": method, "images": 10, "psnr_db": psnr_db, "ssim": (psnr_db or 0) / 100, "identical": 0}
    row |= {"psnr_y_db": psnr_db, "psnr_p5_db": psnr_db, "status": "ok", "reason": "", "pixels": method}
    return row | fields


def benchmark(method: str, shape: str, seconds: list[float], **fields: object) -> dict[str, object]:
    cell = Cell(method=method, scale=2, workload=shape)
    values = {name: getattr(cell, name) for name in Cell.__dataclass_fields__} | fields
    extra = values | {"cell": cell.name, "conversion_seconds": 0.0, "megapixels": workload(shape).megapixels(2)}
    return {"name": cell.name, "stats": {"data": seconds}, "extra_info": extra}


@pytest.fixture(scope="session")
def complaints() -> Callable[..., str]:
    """What a markdown linter says of pages; long lines and HTML are what folds, pictures and tables take."""

    def lint(*pages: Path) -> str:
        command = [sys.executable, "-m", "pymarkdown", "--disable-rules", "md013,md033,md034", "scan"]
        done = subprocess.run([*command, *map(str, pages)], capture_output=True, text=True)
        return done.stdout + done.stderr

    return lint


@pytest.fixture(scope="session")
def large() -> ModuleType:
    """The maker of a large run's folder."""
    spec = importlib.util.spec_from_file_location("large", Path(__file__).with_name("large.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def planted(planted_in: Callable[..., frame.Run], tmp_path: Path) -> Callable[..., frame.Run]:
    """Makes a run as `planted_in` does, in the test's own folder."""
    return functools.partial(planted_in, tmp_path)


@pytest.fixture(scope="session")
def planted_in() -> Callable[..., frame.Run]:
    """Makes in a folder a run of these PSNRs, seconds by workload, and (jaggedness, width) of the slanted edge."""

    def make(
        folder: Path,
        psnr: Figures | None = None,
        times: Mapping[str, Figures] | None = None,
        edges: Mapping[str, tuple[float, float]] | None = None,
        more_quality: tuple[dict[str, object], ...] = (),
    ) -> frame.Run:
        rows = [*(quality_row(method, value) for method, value in (psnr or {}).items()), *more_quality]
        pd.DataFrame(rows, columns=list(QUALITY_COLUMNS)).to_csv(folder / "quality.csv", index=False)
        benchmarks = [
            benchmark(method, shape, [seconds] * 7)
            for shape, cells in (times or {}).items()
            for method, seconds in cells.items()
        ]
        cells = [{"cell": entry["name"], "status": "ok", "reason": ""} for entry in benchmarks]
        document = {"format": 1, "benchmarks": benchmarks, "cells": cells}
        (folder / "speed.json").write_text(json.dumps(document))
        if edges:
            figures = [
                dict.fromkeys(DIAGNOSIS, 0.0)
                | {"method": method, "scale": 2, "jaggedness_pixels": jagged, "edge_width_pixels": width}
                | {"status": "ok", "reason": ""}
                for method, (jagged, width) in edges.items()
            ]
            pd.DataFrame(figures).to_csv(folder / "diagnostics.csv", index=False)
        return frame.read(folder)

    return make
