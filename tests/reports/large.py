"""Stored results as a large run would leave them, every figure planted from a seed.

80 methods, 3 degradations, 2 scales, 6 workloads, 2 devices, 3 versions of torch.
"""

import itertools
import json
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from upbench.bench.cells import COPY, WORKLOADS, Cell, workload
from upbench.bench.diagnosis.targets import COLUMNS as DIAGNOSIS
from upbench.bench.quality.evaluate import QUALITY_COLUMNS

METHODS = [*sorted(entry.name for entry in entry_points(group="upbench.methods"))[:79], "a-stranger's"]
DEGRADATIONS = ("bicubic", "area", "nearest")
SCALES = (2, 4)
SHAPES = tuple(WORKLOADS)[:6]
DEVICES = ("cpu", "cuda")
RELEASES = ("2.13.0", "2.14.0", "2.15.0")
SAMPLES = 30
IMAGES = 40  # different ones; further names give the pixels of one of these
HOST = {
    "cpu": "a processor",
    "cores": 2,
    "system": "Linux x86_64",
    "python": "3.11.7",
    "packages": {"torch": "2.15.0", "upbench": "0.1.0"},
    "gpu": {"name": "a GPU", "memory_bytes": 80 << 30},
    "utc": "2026-01-02T03:04:05+00:00",
    "load_average": [0.1, 0.1, 0.1],
    "allocator": {},
    "flags": {},
    "cpu_capability": "AVX2",
    "kernel": "6",
    "torch_threads": 1,
    "torch_commit": "0",
    "commit": None,
}
GPU_LOOK = {"sm_mhz": 1980, "celsius": 50, "watts": 400.0, "throttled": []}


def write(folder: Path) -> None:
    """Every file that such a run leaves in its folder."""
    generator = np.random.default_rng(0)
    _json(folder / "host.json", {"host": HOST})
    _quality(folder, generator)
    _diagnosis(folder, generator)
    benchmarks = list(_benchmarks(generator))
    cells = [{"cell": each["extra_info"]["cell"], "status": "ok", "reason": ""} for each in benchmarks]
    _json(folder / "speed.json", {"machine_info": {"upbench": HOST}, "benchmarks": benchmarks, "cells": cells})
    _json(folder / "versions.json", {"comparisons": [_duet(generator, *pair) for pair in itertools.pairwise(RELEASES)]})
    _pictures(folder, generator)


def _json(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps({"format": 1} | document))


def _pixels(index: int) -> str:
    return METHODS[index % IMAGES]


def _quality(folder: Path, generator: np.random.Generator) -> None:
    about = {"dataset": "cifar10", "split": "test", "description": "planted images"}
    about |= {"device": "cpu", "protocol": "none"}
    _json(folder / "quality.json", about)
    rows, pairs = [], []
    for degradation, scale in itertools.product(DEGRADATIONS, SCALES):
        psnr = 25 + 10 * generator.random(IMAGES) - scale
        for index, method in enumerate(METHODS):
            score = float(psnr[index % IMAGES])
            row: dict[str, object] = dict.fromkeys(QUALITY_COLUMNS)
            row |= {"dataset": "cifar10", "split": "test", "degradation": degradation, "scale": scale}
            row |= {"method": method, "images": 1000, "psnr_db": score, "ssim": score / 50, "psnr_y_db": score + 2}
            row |= {"psnr_p5_db": score - 5, "identical": 0, "status": "ok", "reason": "", "pixels": _pixels(index)}
            rows.append(row | {"dtype": "float32"})
        for one, other in itertools.combinations(range(len(METHODS)), 2):
            difference = float(psnr[one % IMAGES] - psnr[other % IMAGES])
            ends = [difference, difference - 0.1, difference + 0.1, difference / 50, 0.0, 0.0, False]
            pairs.append([degradation, scale, "float32", METHODS[one], METHODS[other], *ends])
    pd.DataFrame(rows, columns=list(QUALITY_COLUMNS)).to_csv(folder / "quality.csv", index=False)
    columns = ["degradation", "scale", "dtype", "method", "other", "psnr_db_difference", "psnr_db_low", "psnr_db_high"]
    columns += ["ssim_difference", "ssim_low", "ssim_high", "tie"]
    pd.DataFrame(pairs, columns=columns).to_csv(folder / "comparisons.csv", index=False)


def _diagnosis(folder: Path, generator: np.random.Generator) -> None:
    figures, gains = [], []
    for scale, (index, method) in itertools.product(SCALES, enumerate(METHODS)):
        row = dict.fromkeys(DIAGNOSIS, float(index % IMAGES) / IMAGES)
        figures.append(row | {"method": method, "scale": scale, "status": "ok", "reason": ""})
        gains += [
            {
                "method": method,
                "scale": scale,
                "frequency": step / 40,
                "gain": 1 - step / 40 * (index % IMAGES) / IMAGES,
            }
            for step in range(1, 21)
        ]
    pd.DataFrame(figures).to_csv(folder / "diagnostics.csv", index=False)
    pd.DataFrame(gains).to_csv(folder / "response.csv", index=False)


def _benchmarks(generator: np.random.Generator) -> Iterator[dict[str, Any]]:
    for device, scale, shape in itertools.product(DEVICES, SCALES, SHAPES):
        for index, method in enumerate([COPY, *METHODS]):
            cell = Cell(method=method, scale=scale, workload=shape, device=device)
            seconds = 1e-4 * (1 + index) * workload(shape).megapixels(scale) / (1 if device == "cpu" else 100)
            data = (seconds * (1 + 0.05 * generator.random(SAMPLES))).tolist()
            extra: dict[str, Any] = {name: getattr(cell, name) for name in Cell.__dataclass_fields__}
            extra |= {"cell": cell.name, "shape": list(workload(shape).shape), "bytes": 10**7}
            extra |= {"conversion_seconds": 0.0, "megapixels": workload(shape).megapixels(scale)}
            if device == "cuda":
                extra["cuda"] = _on_gpu(data)
            yield {"name": cell.name, "stats": {"data": data}, "extra_info": extra}


def _on_gpu(data: list[float]) -> dict[str, Any]:
    watched = [GPU_LOOK] * len(data)
    return {
        "enqueue_seconds": [1e-5] * 3,
        "latency_seconds": [value + 1e-5 for value in data[:3]],
        "hot": {"seconds": [value / 2 for value in data], "how": "graph", "watched": watched},
        "cold": {"seconds": data, "how": "graph", "watched": watched},
        "cold_by": "rotation over 3 buffers",
        "peak_bytes": 800 << 20,
        "telemetry_reason": "",
    }


def _duet(generator: np.random.Generator, baseline: str, candidate: str) -> dict[str, Any]:
    sides = {
        name: {"label": label, "torch": label, "torchvision": "0.29", "torchvision_reason": "", "host": HOST}
        | {"variables": {}, "flags": {}, "allocator": "held"}
        for name, label in (("baseline", baseline), ("candidate", candidate))
    }
    settings = {"threshold": 0.03, "precision": None, "budget": 45.0, "timeout": 60.0, "threads": 1, "edges": False}
    cells = [
        _compared(generator, Cell(method=method, scale=2, workload=shape))
        for method, shape in itertools.product(METHODS, SHAPES[:3])
    ]
    about = {"same": False, "differing": {}, "settings": settings, "planted": {}, "spent": 44.0, "rounds": 9}
    return sides | about | {"edges": {}, "cells": cells}


def _compared(generator: np.random.Generator, cell: Cell) -> dict[str, Any]:
    visits = []
    for turn in range(1, 10):
        one, other = (generator.integers(900_000, 1_100_000, 10).tolist() for _ in range(2))
        visit = {"round": turn, "purpose": "explore", "baseline": one, "candidate": other, "wall": [one, other]}
        visits.append(visit | {"first": [0, 1] * 5, "warm": [10**6, 10**6], "faults": [0.0, 0.0]})
    about: dict[str, Any] = {"cell": cell.name, "method": cell.method}
    about |= {"methods": [cell.method] * 2, "verdict": "SAME", "reason": ""}
    pixels = {"status": "identical", "digest": "0" * 64}
    ratio = float(generator.uniform(0.98, 1.02))
    about |= {"ratio": ratio, "low": ratio - 0.01, "high": ratio + 0.01, "floor": 0.01, "detectable": 0.03, "pairs": 9}
    more = {"planted": 1.0, "calls_per_block": 1, "pixels": pixels, "next": None, "visits": visits}
    return about | more | {"memory": {"baseline_bytes": 1, "candidate_bytes": 1}}


def _pictures(folder: Path, generator: np.random.Generator) -> None:
    """Smoothed noise: pictures that take about as many bytes as photographs do."""
    sizes: dict[str, tuple[int, ...]] = {"photo/high": (3, 400, 600), "photo/low": (3, 100, 150)}
    sizes |= {"high": (3, 3, 32, 32), "low": (3, 3, 16, 16), "before": (1, 3, 32, 32)}
    for method in METHODS:
        sizes |= {f"crop/{method}": (3, 64, 64), f"pairs/{method}": (3, 3, 32, 32)}
        sizes[f"exercise/{method}"] = (1, 3, 128, 128)
    arrays = {name: _smooth(generator, size) for name, size in sizes.items()}
    np.savez_compressed(folder / "samples.npz", **arrays, **{"photo/window": np.array([16, 32, 64])})


def _smooth(generator: np.random.Generator, size: tuple[int, ...]) -> np.ndarray[Any, Any]:
    noise = generator.standard_normal(size)
    for axis in (-1, -2):
        for _ in range(6):
            noise = (noise + np.roll(noise, 1, axis) + np.roll(noise, -1, axis)) / 2
    scaled: np.ndarray[Any, Any] = np.clip(128 + 3 * noise, 0, 255).astype(np.uint8)
    return scaled
