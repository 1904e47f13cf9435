"""Result files as strangers may hand them to us: of bounded size, of a known shape, and never executed or unpickled."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from upbench.bench.errors import UsageError
from upbench.bench.store import migrated

LARGEST = 256 << 20  # bytes of a file, and of the arrays that it unpacks to
SAMPLES = (np.uint8, np.int64)

NUMBER = (int, float)
TEXT = ("dataset", "split", "degradation", "method", "other", "dtype", "status", "reason", "pixels", "image")
MEASURED = ("scale", "images", "psnr_db", "ssim", "psnr_y_db", "psnr_p5_db", "identical")

# What a file holds if it holds it: a type, a list of one shape, or a dictionary with shapes of some of its keys.
SPEED = {
    "machine_info": {"upbench": dict},
    "benchmarks": [{"stats": {"data": [NUMBER]}, "extra_info": dict}],
    "cells": [{"cell": str, "status": str, "reason": str}],
}
SHAPES: dict[str, Any] = {
    "host.json": {"host": dict},
    "quality.json": {"dataset": str, "split": str, "description": str, "device": str, "protocol": str},
    "selfcheck.json": {"checks": [dict]},
    "speed.json": SPEED,
    "sweep.json": SPEED,
    "versions.json": {"comparisons": [dict]},
    "front.json": {"comparisons": [dict]},
    "allocators.json": {"comparisons": [dict]},
    "atlas.json": {"releases": [str], "comparisons": [dict], "changes": [dict]},
}


class ReportError(ValueError):
    """The folder cannot be reported on; the message is one plain sentence."""


def read_json(path: Path) -> dict[str, Any]:
    """A file's document in today's format, `{}` where there is no file; raises `ReportError` for any other."""
    if not path.is_file():
        return {}
    _check_size(path, path.stat().st_size)
    try:
        document = migrated(json.loads(path.read_text(encoding="utf-8")), path)
    except (ValueError, RecursionError) as error:
        raise _damaged(path) from error
    except UsageError as error:
        raise ReportError(str(error)) from error
    if wrong := _misfit(document, SHAPES.get(path.name, dict), ""):
        raise ReportError(f"{path} is not a file of upbench's: {wrong}; remove it.")
    return document


def read_csv(path: Path, *needed: str) -> pd.DataFrame:
    """A file's table, empty where there is no file; raises `ReportError` if it is damaged or lacks a needed column."""
    if not path.is_file():
        return pd.DataFrame()
    _check_size(path, path.stat().st_size)
    try:
        table = pd.read_csv(path, keep_default_na=False, na_values=[""], dtype=dict.fromkeys(TEXT, str))
    except Exception as error:  # a damaged table can raise anything
        raise _damaged(path) from error
    if missing := set(needed) - set(table):
        raise ReportError(f"{path} is damaged: it has no column {min(missing)}; measure again, or remove it.")
    for name in set(MEASURED) & set(table):
        if len(table) and not pd.api.types.is_numeric_dtype(table[name]):
            raise ReportError(f"{path} is damaged: its column {name} holds text; measure again, or remove it.")
    return table


def read_samples(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """A file's arrays of whole numbers, none where there is no file; raises `ReportError` for a damaged one."""
    if not path.is_file():
        return {}
    try:
        with np.load(path, allow_pickle=False) as archive:
            _check_size(path, sum(entry.file_size for entry in archive.zip.infolist()))
            arrays = {name: archive[name] for name in archive.files}
    except ReportError:
        raise
    except Exception as error:  # a damaged archive can raise anything
        raise _damaged(path) from error
    return {name: array for name, array in arrays.items() if array.dtype in SAMPLES}


def _damaged(path: Path) -> ReportError:
    return ReportError(f"{path} is damaged; measure again, or remove it.")


def _check_size(path: Path, size: int) -> None:
    if size > LARGEST:
        raise ReportError(f"{path} holds more than {LARGEST >> 20} MiB, which no file of upbench's does; remove it.")


def _misfit(value: Any, shape: Any, place: str) -> str:
    """What is wrong with a value of a document, in a few words; empty where it has the shape."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return f"{place or 'it'} is no object"
        found = (
            _misfit(value[key], inner, f"{place}.{key}".lstrip(".")) for key, inner in shape.items() if key in value
        )
        return next(filter(None, found), "")
    if isinstance(shape, list):
        if not isinstance(value, list):
            return f"{place} is no list"
        found = (_misfit(each, shape[0], f"{place}[{i}]") for i, each in enumerate(value))
        return next(filter(None, found), "")
    return "" if isinstance(value, shape) and not isinstance(value, bool) else f"{place} is of another kind"
