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
    assert {path.name for path in (tmp_path / "joined" / "figures").iterdir()} == {
        "hosts-1-light.png",
        "hosts-1-dark.png",
    }


def test_it_has_an_html_edition_in_which_no_host_is_markup(
    planted: Callable, tmp_path: Path, complaints: Callable
) -> None:
    run = planted(psnr=PSNR, times={"image": {"nearest": 2e-3, "bicubic": 8e-3, "spline3": 4e-3}})
    hostile = replace(run, host={"cpu": "<img src=x>|`", "utc": "2026-01-02", "packages": {"torch": "2.15.0"}})
    path = joined.write([run, hostile], tmp_path / "joined", html=True)
    html = path.with_suffix(".html").read_text()
    assert "<img src=x>" not in html and "&lt;img src=x&gt;" in html
    assert 'id="figure-hosts-1"' in html
    assert "<img src=x>" not in path.read_text()
    assert complaints(path) == ""
