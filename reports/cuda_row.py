"""From the raw figures of a CUDA cell, as the speed suite wrote them, to the columns of its row."""

import statistics
from typing import Any

WAITS, LAUNCH, DEVICE = "waits", "launch", "device"


def figures(cuda: dict[str, Any]) -> dict[str, Any]:
    """A benchmark's `extra_info["cuda"]` as columns: medians, verdict, telemetry; `samples` are the cold ones."""
    hot, cold = cuda["hot"], cuda["cold"]
    enqueue, device = statistics.median(cuda["enqueue_seconds"]), statistics.median(cold["seconds"])
    return {
        "samples": cold["seconds"],
        "enqueue_seconds": enqueue,
        "hot_seconds": statistics.median(hot["seconds"]),
        "latency_seconds": statistics.median(cuda["latency_seconds"]),
        "bound": WAITS if cold["how"] == "gaps" else LAUNCH if enqueue > device else DEVICE,
        "how": f"{cold['how']}, {cuda['cold_by']}",
        "peak_bytes": cuda["peak_bytes"],
        "telemetry_reason": cuda["telemetry_reason"],
        "gradients": _gradients(cuda.get("gradients")),
    } | _telemetry([look for look in (*hot["watched"], *cold["watched"]) if look])


def _gradients(found: dict[str, bool] | None) -> str:
    if found is None:
        return ""
    return ("vary" if found["vary"] else "repeat") + (", refused" if found["refused"] else "")


def _telemetry(looks: list[dict[str, Any]]) -> dict[str, Any]:
    """Median clock, highest temperature, mean power, and how many looks saw the clock held down, and why."""
    if not looks:
        return {}
    held = [look for look in looks if look["throttled"]]
    reasons = sorted({reason for look in held for reason in look["throttled"]})
    return {
        "sm_mhz": statistics.median(look["sm_mhz"] for look in looks),
        "celsius": max(look["celsius"] for look in looks),
        "watts": statistics.fmean(look["watts"] for look in looks),
        "throttled": f"{len(held)} of {len(looks)}: {', '.join(reasons)}" if held else "",
    }
