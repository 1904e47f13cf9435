"""The page as a whole: its size, its tables, its links, what it answers at once, and what making it takes."""

import re
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from upbench.reports import frame, page
from upbench.reports.families import PATTERNS

QUALITY = {f"method{index}": 30 + index / 10 for index in range(60)}
QUALITY |= {"nearest": 28.0, "bilinear": 29.0, "bicubic": 31.0, "polyphase-bicubic": 31.0, "pixel-shuffle": 28.0}
QUALITY |= {"learned-edsr": 37.0}
TIMES = {name: (2 + index) * 1e-3 for index, name in enumerate(QUALITY)}
TIMES |= {"nearest": 5e-4, "pixel-shuffle": 2e-3, "bicubic": 6e-3, "polyphase-bicubic": 1e-3, "learned-edsr": 2.0}
EDGES = {"nearest": (1.0, 1.0), "bilinear": (0.1, 3.0), "bicubic": (0.05, 2.0)}


@pytest.fixture(scope="module")
def run(planted_in: Callable, tmp_path_factory: pytest.TempPathFactory) -> frame.Run:
    folder = tmp_path_factory.mktemp("run")
    generator = np.random.default_rng(0)
    images = {"photo/high": (3, 96, 128), "photo/low": (3, 24, 32), "high": (3, 3, 32, 32), "low": (3, 3, 16, 16)}
    images |= {"before": (1, 3, 32, 32)}
    for name in QUALITY:
        images |= {f"crop/{name}": (3, 64, 64), f"pairs/{name}": (3, 3, 32, 32), f"exercise/{name}": (1, 3, 128, 128)}
    arrays = {name: generator.integers(0, 256, size, dtype=np.uint8) for name, size in images.items()}
    np.savez(folder / "samples.npz", **arrays, **{"photo/window": np.array([16, 32, 64])})
    found = planted_in(folder, psnr=QUALITY, times={"image": TIMES | {"copy": 1e-4}, "cifar": TIMES}, edges=EDGES)
    pixels = {"polyphase-bicubic": "bicubic", "pixel-shuffle": "nearest"}
    found.quality["pixels"] = [pixels.get(name, name) for name in found.quality["method"]]
    return found


@pytest.fixture(scope="module")
def lines(run: frame.Run) -> list[str]:
    return page.write(run, html=True).read_text().splitlines()


def above_the_folds(lines: list[str]) -> list[str]:
    depth, kept = 0, []
    for line in lines:
        depth += line.startswith("<details>")
        if not depth:
            kept.append(line)
        depth -= line.startswith("</details>")
    return kept


def test_it_is_short_and_its_tables_are(lines: list[str]) -> None:
    above = above_the_folds(lines)
    assert len(above) <= 120
    assert len(lines) <= 340, "60 strangers' methods and six known ones, each a row of the folded list"
    tables = re.findall(r"(?:^\|.*\n)+", "\n".join(above) + "\n", flags=re.MULTILINE)
    assert tables
    assert max(table.count("\n") for table in tables) <= 14 + 2


def test_the_first_screen_answers_what_people_come_for(lines: list[str]) -> None:
    first = "\n".join(lines[: next(i for i, line in enumerate(lines) if "<picture>" in line)])
    assert (
        "**You call bicubic** for one picture on a CPU: `polyphase-bicubic` gives the same pixels 6.0× faster" in first
    )
    assert "**Pixel shuffle**: not worth it by itself; its pixels are `nearest`'s" in first
    assert "**Best quality**: `learned-edsr`, 37.00 dB" in first


def test_every_picture_says_what_it_shows_and_no_picture_stands_twice(lines: list[str]) -> None:
    pictures = [line for line in lines if line.startswith("<picture>")]
    alts = [re.search(r'alt="([^"]+)"', line).group(1) for line in pictures]
    assert len(set(pictures)) == len(pictures) >= 5
    assert all(len(alt) > 40 for alt in alts)


def test_a_markdown_linter_has_nothing_to_say(lines: list[str], run: frame.Run, complaints: Callable) -> None:
    assert complaints(run.folder / "report.md") == ""


def test_the_same_run_gives_the_same_bytes(lines: list[str], run: frame.Run) -> None:
    def files() -> dict[str, bytes]:
        made = [run.folder / "report.md", run.folder / "report.html", *(run.folder / "figures").iterdir()]
        return {path.name: path.read_bytes() for path in made}

    before = files()
    page.write(run, html=True)
    assert files() == before


def test_the_html_edition_asks_for_nothing_and_holds_the_samples(lines: list[str], run: frame.Run) -> None:
    html = (run.folder / "report.html").read_text()
    assert not re.search(r'(?:src|href)="(?!#|data:|report\.html)', html)
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert '"bicubic/x2/image/' in html


def test_it_says_what_is_missing_and_which_command_makes_it(lines: list[str]) -> None:
    assert "This folder holds nothing of: torch versions (`upbench duet`)." in lines


def test_a_report_is_made_without_torch_and_scipy() -> None:
    code = "import sys, upbench.reports.stage; print(sorted({'torch', 'scipy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_method_of_ours_has_a_family() -> None:
    from importlib.metadata import entry_points

    names = [entry.name for entry in entry_points(group="upbench.methods") if entry.value.startswith("upbench.")]
    for name in names:
        assert [family for family, pattern in PATTERNS.items() if re.fullmatch(pattern, name)], name


def test_figures_of_an_earlier_page_go_and_no_other_file_does(lines: list[str], run: frame.Run) -> None:
    figures = run.folder / "figures"
    (figures / "front-light.png").rename(figures / "gone-light.png")
    Image.new("RGB", (1, 1)).save(figures / "mine.png")
    (figures / "torn.png").write_text("no picture")
    page.write(run)
    assert not (figures / "gone-light.png").exists()
    assert (figures / "front-light.png").exists()
    assert (figures / "mine.png").exists() and (figures / "torn.png").exists()
