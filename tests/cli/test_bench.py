"""`upbench bench` from data to report, and the report built again from the files alone."""

import contextlib
import io
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from upbench.bench.cli import gate_options
from upbench.bench.cli.main import main

METHODS = ["nearest", "bilinear", "bicubic", "transposed-bilinear", "pixel-shuffle", "pixel-shuffle-bicubic"]
BROKEN = "def broken(scale, device, dtype):\n    raise ValueError('left | right')\n"
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, str]:
    """The main job in small: its folder, its exit code, and what it printed."""
    folder = tmp_path_factory.mktemp("bench")
    (folder / "broken.py").write_text(BROKEN)
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
        code = main(
            [
                *("bench", "--dataset", "photos", "--limit", "32", "--methods", *METHODS),
                *("--method", f"{folder / 'broken.py'}:broken", "--workloads", "single", "1x3x24x20"),
                *("--seconds", "0.02", "--front-budget", "12s", "--out", str(folder / "out")),
            ]
        )
    return folder / "out", code, said.getvalue()


@pytest.fixture
def page(finished: tuple[Path, int, str]) -> str:
    return (finished[0] / "report.md").read_text()


def section(page: str, title: str) -> str:
    return re.split(r"^## ", page.partition(f"\n## {title}\n")[2], flags=re.MULTILINE)[0]


def test_it_writes_what_the_contract_names(finished: tuple[Path, int, str]) -> None:
    folder, code, _ = finished
    for name in ("report.md", "quality.csv", "speed.json", "host.json"):
        assert (folder / name).stat().st_size > 0, name
    assert list((folder / "figures").glob("*.png"))
    assert not [path.name for path in folder.iterdir() if path.name.startswith(".") or path.suffix == ".journal"]
    assert code == 3, "one method is broken"


def test_it_prints_the_first_table_and_where_the_report_lies(finished: tuple[Path, int, str]) -> None:
    folder, _, said = finished
    table = [line for line in said.splitlines() if line.startswith("| ")]
    assert len(table) >= 3, "titles, something to use, and what people call today"
    assert said.rstrip().endswith(f"report: {folder / 'report.md'}")


def test_every_link_and_picture_of_the_report_is_there(finished: tuple[Path, int, str], page: str) -> None:
    targets = LINK.findall(page) + re.findall(r'(?:src|srcset)="([^"]+)"', page)
    assert len([target for target in targets if target.endswith(".png")]) >= 6
    anchors = [re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-") for line in page.splitlines()]
    for target in targets:
        if target.startswith("#"):
            assert target[1:] in anchors
        elif not target.startswith("http"):
            assert (finished[0] / target).is_file(), target
    for picture in (finished[0] / "figures").glob("*.png"):
        assert f"figures/{picture.name}" in targets, f"{picture.name} is drawn and never shown"
        with Image.open(picture) as image:
            image.verify()


def test_every_table_of_the_report_is_rectangular(page: str) -> None:
    for block in re.findall(r"(?:^\|.*\n)+", page, flags=re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(widths) == 1, block


def test_the_report_says_what_ran_where_on_which_data(page: str) -> None:
    head = page.partition("\n## ")[0]
    assert "embedded photos" in head
    assert "not CIFAR-10" in head
    assert "first 32 only" in head
    assert "torch 2." in head
    assert f"Python {sys.version_info.major}.{sys.version_info.minor}" in page


def test_every_image_has_the_figures_of_quality_csv(finished: tuple[Path, int, str], page: str) -> None:
    quality = pd.read_csv(finished[0] / "quality.csv").set_index("method")
    images = section(page, "Every image")
    for method in set(quality.loc[list(METHODS), "pixels"]):
        (row,) = [line for line in images.splitlines() if line.startswith(f"| `{method}` |")]
        assert f"{quality.loc[method, 'psnr_db']:.2f}" in row
        assert f"{quality.loc[method, 'ssim']:.4f}" in row


def test_the_three_claims_are_each_given_a_verdict(page: str) -> None:
    claims = section(page, "The article's claims")
    verdicts = re.findall(r"^\| [A-Z].*? \| \*\*(.*?)\*\* \|", claims, flags=re.MULTILINE)
    assert len(verdicts) == 3
    assert set(verdicts) <= {"holds", "does not hold", "depends"}


def test_what_was_not_measured_is_listed_with_its_reason(page: str) -> None:
    assert r"its factory raised ValueError: left \| right" in section(page, "Not measured")


def test_the_report_is_rebuilt_from_the_files_alone(
    finished: tuple[Path, int, str], page: str, upbench: Callable, tmp_path: Path
) -> None:
    copy = tmp_path / "moved"
    shutil.copytree(finished[0], copy, ignore=shutil.ignore_patterns("report.*", "figures"))
    said = upbench("report", copy)
    assert said.code == 0
    assert (copy / "report.md").read_text() == page
    assert (copy / "report.html").read_bytes() == (finished[0] / "report.html").read_bytes()
    assert {path.name for path in (copy / "figures").iterdir()} == {
        path.name for path in (finished[0] / "figures").iterdir()
    }


def test_one_method_alone_has_a_report(upbench: Callable, tmp_path: Path) -> None:
    photos = ("--dataset", "photos", "--limit", 8)
    assert upbench("quality", *photos, "--methods", "bilinear", "--out", tmp_path).code == 0
    assert upbench("report", tmp_path).code == 0
    assert "| `bilinear` |" in (tmp_path / "report.md").read_text()


@pytest.mark.parametrize("stage", ["quality.csv", "speed.json"])
def test_a_report_of_one_stage_alone_is_a_report(
    finished: tuple[Path, int, str], upbench: Callable, tmp_path: Path, stage: str
) -> None:
    shutil.copy(finished[0] / stage, tmp_path)
    assert upbench("report", tmp_path).code == 0
    page = (tmp_path / "report.md").read_text()
    for target in LINK.findall(page):
        assert target.startswith(("#", "http")) or (tmp_path / target).is_file()


@pytest.mark.parametrize("name", ["quality.csv", "speed.json", "samples.npz", "host.json", "quality.json"])
@pytest.mark.parametrize("damage", [b"", b"\x00\xff{", b"{}garbage"])
def test_a_damaged_file_is_named_in_one_sentence_and_left_alone(
    finished: tuple[Path, int, str], upbench: Callable, tmp_path: Path, name: str, damage: bytes
) -> None:
    for path in finished[0].iterdir():
        if path.is_file() and path.stem != "report":
            shutil.copy(path, tmp_path)
    (tmp_path / name).write_bytes(damage)
    said = upbench("report", tmp_path)
    assert said.code == 2, said
    assert name in said.err
    assert said.err.count("\n") == 1
    assert (tmp_path / name).read_bytes() == damage


def test_a_file_of_another_pytest_benchmark_run_is_not_taken_for_ours(upbench: Callable, tmp_path: Path) -> None:
    (tmp_path / "speed.json").write_text(
        '{"benchmarks": [{"name": "test_x", "stats": {"data": [1]}, "extra_info": {}}]}'
    )
    said = upbench("report", tmp_path)
    assert said.code == 2
    assert "speed.json is not a file of upbench's" in said.err


@pytest.mark.parametrize(("said", "meant"), [("0", 0.0), ("0s", 0.0), ("12s", 12.0), ("1.5m", 90.0)])
def test_the_time_for_duets_may_be_none(said: str, meant: float) -> None:
    assert gate_options.seconds_or_none(said) == meant


def test_a_time_that_is_none_is_refused(upbench: Callable) -> None:
    ended = upbench("bench", "--front-budget", "soon")
    assert ended.code == 2
    assert "no time such as 120s or 2m" in ended.err
