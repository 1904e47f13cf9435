"""From measured rows to the files beside `quality.csv`: methods compared in pairs, and every image's figures."""

from collections.abc import Iterable
from typing import Any

from upbench.bench.quality import bootstrap
from upbench.bench.stage import Row

KEYS = ["dataset", "split", "degradation", "scale", "method"]
COMPARISON_COLUMNS = ["degradation", "scale", "dtype", *bootstrap.COLUMNS]
IMAGE_COLUMNS = [*KEYS, "dtype", "image", "psnr_db", "ssim", "psnr_y_db"]


def comparisons(rows: list[Row]) -> list[Row]:
    """Methods in pairs within each degradation, scale and dtype."""
    measured: dict[tuple[str, int, str], dict[str, Any]] = {}
    for row in rows:
        if row["status"] == "ok":
            measured.setdefault((row["degradation"], row["scale"], row["dtype"]), {})[row["method"]] = row["per_image"]
    return [
        {"degradation": degradation, "scale": scale, "dtype": dtype} | pair
        for (degradation, scale, dtype), per_image in measured.items()
        for pair in bootstrap.pairs(per_image)
    ]


def per_image(rows: list[Row]) -> Iterable[Row]:
    """A row for each image of each measured row."""
    for row in rows:
        if row["status"] == "ok":
            columns = row["per_image"]
            for image, *values in zip(columns["ids"], *(columns[m] for m in columns if m != "ids"), strict=True):
                metrics = dict(zip((m for m in columns if m != "ids"), values, strict=True))
                yield {key: row[key] for key in [*KEYS, "dtype"]} | {"image": image} | metrics
