"""The HTML edition in a real browser: no error, no request, tables sort and filter, and hostile names stay text.

`nox -s browser` brings playwright; the browser is the system's chromium.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from upbench.reports import page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
HOSTILE = "<img src=x onerror=alert(1)>|`x`"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: nox -s browser")
    if CHROMIUM is None:
        pytest.skip("needs chromium: apt-get install chromium")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def html(planted: Callable, tmp_path: Path) -> Path:
    psnr = {f"mine{index}": 30 + index / 10 for index in range(12)} | {"bicubic": 31.0, "nearest": 28.0, HOSTILE: 29.0}
    times = {name: (1 + index) * 1e-3 for index, name in enumerate(psnr)}
    page.write(planted(psnr=psnr, times={"image": times | {"copy": 1e-4}, "cifar": times}), html=True)
    return tmp_path / "report.html"


def opened(browser: Any, html: Path, **options: Any) -> tuple[Any, list[str]]:
    tab, said = browser.new_page(**options), []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("dialog", lambda dialog: said.append("a dialog"))
    tab.on(
        "request", lambda request: said.append(request.url) if not request.url.startswith(("data:", "file:")) else None
    )
    tab.goto(html.as_uri())
    return tab, said


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_no_error_no_request_and_nothing_overflows(browser: Any, html: Path, scheme: str, width: int) -> None:
    tab, said = opened(browser, html, viewport={"width": width, "height": 900}, color_scheme=scheme)
    assert said == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    ink, paper = (tab.evaluate(f"getComputedStyle(document.body).{name}") for name in ("color", "backgroundColor"))
    assert ink != paper
    assert (paper == "rgb(255, 255, 255)") == (scheme == "light")
    tab.close()


def test_sorting_sorts_and_filtering_filters(browser: Any, html: Path) -> None:
    tab, said = opened(browser, html)
    box = tab.locator(".scroll[data-search]").first
    box.locator("th button", has_text="PSNR").click()
    column = box.locator("tbody tr td:nth-child(3)").all_text_contents()
    values = [float(value) for value in column if value]
    assert values == sorted(values)
    tab.locator(".controls input").first.fill("mine1")
    shown = [row for row in box.locator("tbody tr").all() if row.is_visible()]
    assert 0 < len(shown) < len(values)
    assert said == []
    tab.close()


def test_raw_samples_stand_behind_a_number(browser: Any, html: Path) -> None:
    tab, _ = opened(browser, html)
    tab.locator("td[data-s] button").first.click()
    assert "7 samples" in tab.locator("dialog").inner_text()
    tab.close()


def test_a_hostile_name_stays_text(browser: Any, html: Path) -> None:
    tab, said = opened(browser, html)
    assert tab.locator("img[src='x']").count() == 0
    assert "<img src=x onerror=alert(1)>" in tab.evaluate("document.body.textContent")
    assert said == []
    tab.close()


def test_it_can_be_read_without_its_script(browser: Any, html: Path) -> None:
    tab, _ = opened(browser, html, java_script_enabled=False)
    assert tab.locator("h2", has_text="What to use").is_visible()
    assert tab.locator("table").first.is_visible()
    assert tab.locator(".drawn svg").first.is_visible()
    tab.close()
