"""Several machines, one page: a column a host, and no time compared across hosts but as a ratio."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from upbench.reports import joined

PSNR = {"nearest": 24.0, "bicubic": 26.0, "spline3": 26.5}


def test_each_host_has_a_column_of_ratios_to_its_own_call(planted: Callable, tmp_path: Path) -> None:
    slow = planted(psnr=PSNR, times={"image": {"nearest": 2e-3, "bicubic": 8e-3, "spline3": 4e-3}})
    fast = planted(psnr=PSNR, times={"image": {"nearest": 1e-3, "bicubic": 4e-3, "spline3": 0.5e-3}})
    fast = replace(fast, host={"cpu": "a|b", "utc": "2026-01-02", "packages": {"torch": "2.15.0"}})
    text = joined.write([slow, fast], tmp_path / "joined").read_text()
    assert "| `spline3` | 2.0× | 8.0× |" in text
    assert "| host 2 | a\\|b, torch 2.15.0, 2 Jan 2026 | cpu |" in text
    assert "Hosts differ by more than 1.5 times on: spline3." in text
    assert "ms" not in text.replace("times", "")
