"""Comparisons as `versions.json` has them, written by hand."""

from typing import Any

CHANGED = {"status": "CHANGED", "largest": 0.2, "psnr_change_db": -0.5, "steps": 51, "share": 0.3}


def cell(verdict: str, ratio: float | None = 1.0, **more: Any) -> dict[str, Any]:
    plain = {
        "cell": f"bicubic/x2/{verdict.lower()}/cpu/float32/contiguous/eager/forward/1t",
        "method": "bicubic",
        "verdict": verdict,
        "reason": "",
        "planted": 1.0,
        "ratio": ratio,
        "low": None if ratio is None else ratio - 0.01,
        "high": None if ratio is None else ratio + 0.01,
        "floor": 0.01,
        "detectable": 0.045,
        "pairs": 12,
        "visits": [],
        "pixels": {"status": "identical", "digest": "abc"},
        "memory": {"baseline_bytes": 100, "candidate_bytes": 100},
    }
    return plain | more


def comparison(*cells: dict[str, Any], planted: Any = None, same: bool = False, **more: Any) -> dict[str, Any]:
    host = {"cpu": "a quiet one", "cores": 4, "packages": {"torch": "2.15.0"}, "allocator": {}}
    side = {"host": host, "torchvision": None, "torchvision_reason": "there is none"}
    plain = {
        "baseline": {"label": "2.13.0", "torch": "2.13.0"} | side,
        "candidate": {"label": "2.15.0", "torch": "2.15.0"} | side,
        "same": same,
        "settings": {"threshold": 0.03, "threads": 1},
        "planted": planted or {},
        "rounds": 12,
        "spent": 25.0,
        "cells": list(cells),
    }
    return plain | more
