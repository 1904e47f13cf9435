"""The page of a large run: 1,900 cells and 19,000 comparisons of quality still make a page that one can open and read.

Its time is measured by hand: `large.write(folder)`, then `time upbench report folder`.
"""

import re
from pathlib import Path

import pytest
from PIL import Image

from upbench.reports import frame, page


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, large: object) -> Path:
    made = tmp_path_factory.mktemp("large")
    large.write(made)
    page.write(frame.read(made), html=True)
    return made


def test_the_html_edition_stays_below_three_megabytes(folder: Path) -> None:
    assert 500_000 < (folder / "report.html").stat().st_size <= 3_000_000


def test_above_the_folds_it_is_as_short_as_any(folder: Path) -> None:
    text = (folder / "report.md").read_text()
    assert len(text) <= 120_000
    above = re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL)
    assert sum(bool(line.strip()) for line in above.splitlines()) <= 120
    tables = re.findall(r"(?:^\|.*\n)+", above, flags=re.MULTILINE)
    assert max(table.count("\n") for table in tables) <= 14 + 2


def test_no_figure_is_higher_than_a_few_screens(folder: Path) -> None:
    sizes = {}
    for path in (folder / "figures").iterdir():
        with Image.open(path) as image:
            sizes[path.name] = image.size
    assert len(sizes) >= 20
    assert {width for width, _ in sizes.values()} == {1660}
    assert max(height for _, height in sizes.values()) <= 2 * 1660, sizes


def test_cells_beyond_the_page_stand_in_the_html_edition(folder: Path) -> None:
    html = (folder / "report.html").read_text()
    assert html.count("big-feature/cuda") >= 100
    assert "The other 200" in html
