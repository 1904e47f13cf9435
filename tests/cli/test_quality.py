"""`upbench quality`: its file, its reasons, its fallbacks, and going on after an interruption."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

COLUMNS = "dataset split degradation scale method images psnr_db ssim psnr_y_db psnr_p5_db identical status reason"
PHOTOS = ["--dataset", "photos", "--limit", "24"]


def table(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "quality.csv", keep_default_na=False, na_values=[""])


def test_there_is_a_row_for_every_degradation_scale_and_method(upbench: Callable, tmp_path: Path) -> None:
    axes = ["--methods", "nearest", "bicubic", "--scales", "2", "4", "2", "--degradations", "bicubic", "area"]
    said = upbench("quality", *PHOTOS, *axes, "--out", tmp_path)
    found = table(tmp_path)
    assert said.code == 0
    assert " ".join(found.columns).startswith(COLUMNS)
    keys = list(zip(found["degradation"], found["scale"], found["method"], strict=True))
    assert keys == [(d, s, m) for d in ("bicubic", "area") for s in (2, 4) for m in ("nearest", "bicubic")]
    assert set(found["status"]) == {"ok"}
    assert found["reason"].isna().all()
    assert set(found["images"]) == {24}
    assert set(found["dataset"]) == {"photos"}
    assert set(found["split"]) == {"test"}
    assert found["psnr_db"].between(5, 60).all()
    assert found["ssim"].between(0, 1).all()
    assert "embedded photos" in said.out
    assert "8 measured, 0 skipped, 0 failed" in said.out


def test_figures_are_written_in_full_precision_and_every_image_on_demand(upbench: Callable, tmp_path: Path) -> None:
    upbench("quality", *PHOTOS, "--methods", "nearest", "--per-image", "--out", tmp_path)
    row, images = table(tmp_path).iloc[0], pd.read_csv(tmp_path / "quality-per-image.csv")
    assert len(images) == 24
    assert images["psnr_db"].mean() == pytest.approx(row["psnr_db"], abs=1e-12)
    assert images["ssim"].mean() == pytest.approx(row["ssim"], abs=1e-12)
    assert len((tmp_path / "quality.csv").read_text().splitlines()[1].split(",")[6]) > 12


def test_the_stage_leaves_whole_files_and_no_journal(upbench: Callable, tmp_path: Path) -> None:
    upbench("quality", *PHOTOS, "--methods", "nearest", "--out", tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert {"quality.csv", "quality.json", "samples.npz", "host.json"} <= names
    assert not [name for name in names if name.startswith(".") or name.endswith("journal")]
    about = json.loads((tmp_path / "quality.json").read_text())
    assert about["format"] == 1
    assert "clamped" in about["protocol"]


def test_a_scale_that_does_not_divide_the_images_is_a_row_with_its_reason(upbench: Callable, tmp_path: Path) -> None:
    said = upbench("quality", *PHOTOS, "--methods", "nearest", "--scales", "3", "2", "--out", tmp_path)
    found = table(tmp_path).set_index("scale")
    assert said.code == 3
    assert found.loc[3, "status"] == "failed"
    assert found.loc[3, "reason"] == "scale 3 does not divide a 32x32 image"
    assert found.loc[2, "status"] == "ok"
    assert "scale 3 does not divide a 32x32 image" in said.out


BROKEN = {
    "raises": ("def up(low):\n    raise RuntimeError('out of luck')\nreturn up", "it raised RuntimeError: out of luck"),
    "shape": ("return torch.clone", "it returned shape"),
    "dtype": ("return lambda low: F.interpolate(low, scale_factor=scale).double()", "it returned torch.float64"),
    "nan": ("return lambda low: F.interpolate(low, scale_factor=scale) * float('nan')", "NaN or infinite"),
    "mutates": ("return lambda low: F.interpolate(low.mul_(0.5), scale_factor=scale)", "it changed its input"),
    "random": ("return lambda low: F.interpolate(low, scale_factor=scale) + torch.rand(())", "another image"),
    "remembers": (
        "seen = {}\ndef up(low):\n    return seen.setdefault(0, F.interpolate(low, scale_factor=scale))\nreturn up",
        "remembered result",
    ),
    "uncallable": ("return 3", "nothing that can be called"),
    "later": (
        "def up(low):\n    if len(low) > 2:\n        raise ValueError('too many')\n"
        "    return F.interpolate(low, scale_factor=scale)\nreturn up",
        "it raised ValueError: too many",
    ),
    "many_lines": ("raise ValueError('one\\ntwo')", "its factory raised ValueError: one two"),
}
DECLINING = {
    "declines": ("raise NotImplementedError('needs a moon')", "needs a moon"),
    "needs": ("import a_library_of_nobody\nreturn torch.clone", "a_library_of_nobody"),
}


def test_broken_methods_are_rows_with_reasons_and_the_others_are_measured(
    upbench: Callable, adapter_file: Callable[..., str], tmp_path: Path
) -> None:
    specs = [
        part for name, (body, _) in (BROKEN | DECLINING).items() for part in ("--method", adapter_file(name, body))
    ]
    said = upbench("quality", *PHOTOS, "--methods", "nearest", "bilinear", *specs, "--out", tmp_path / "out")
    assert said.code == 3
    assert "Traceback" not in said.err
    found = table(tmp_path / "out").set_index("method")
    assert list(found.index) == ["nearest", "bilinear", *BROKEN, *DECLINING]
    assert list(found.loc[["nearest", "bilinear"], "status"]) == ["ok", "ok"]
    for state, methods in (("failed", BROKEN), ("skipped", DECLINING)):
        for name, (_, reason) in methods.items():
            assert found.loc[name, "status"] == state, name
            assert reason in found.loc[name, "reason"], name
            assert "\n" not in found.loc[name, "reason"]
            assert pd.isna(found.loc[name, "psnr_db"])


def test_skipped_methods_alone_are_no_failure(
    upbench: Callable, adapter_file: Callable[..., str], tmp_path: Path
) -> None:
    spec = adapter_file("declines", *DECLINING["declines"][:1])
    options = [*PHOTOS, "--method", spec, "--out", tmp_path / "out"]
    assert upbench("quality", *options, "--methods", "nearest").code == 0
    assert upbench("quality", *options).code == 3, "nothing could be measured"


def test_a_folder_of_images_of_many_sizes_is_measured(
    upbench: Callable, picture_file: Callable[..., Path], tmp_path: Path
) -> None:
    for name, size in (("a.png", (40, 24)), ("b.png", (33, 47)), ("c.jpg", (64, 64))):
        picture_file(name, size, folder=tmp_path / "set")
    said = upbench(
        "quality",
        "--dataset",
        f"folder:{tmp_path / 'set'}",
        "--methods",
        "bilinear",
        "--scales",
        "3",
        "--out",
        tmp_path,
    )
    row = table(tmp_path).iloc[0]
    assert said.code == 0
    assert (row["dataset"], row["images"], row["status"]) == ("folder:set", 3, "ok")


def test_an_image_below_the_ssim_window_is_a_reason_that_names_it(
    upbench: Callable, picture_file: Callable[..., Path], tmp_path: Path
) -> None:
    picture_file("small.png", (10, 30), folder=tmp_path / "set")
    options = ["--dataset", f"folder:{tmp_path / 'set'}", "--methods", "bilinear", "--out", tmp_path]
    assert upbench("quality", *options).code == 3
    assert table(tmp_path).loc[0, "reason"] == "small.png: a 10x30 image is smaller than SSIM's 11x11 window"


def test_cifar_10_is_read_from_the_folder_that_is_named(
    upbench: Callable, binary_cifar: Callable[..., Path], tmp_path: Path
) -> None:
    options = ["--methods", "nearest", "--out", tmp_path / "out"]
    said = upbench("quality", "--data", binary_cifar(20), *options)
    assert said.code == 0
    assert "CIFAR-10 sample (20 images, not the official test split)" in said.out
    assert table(tmp_path / "out").loc[0, "dataset"] == "cifar10"


def test_without_a_network_the_photos_serve_and_the_output_says_so(
    upbench: Callable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from upbench.datasets import cifar10
    from upbench.datasets.errors import DataError

    def fails(directory: Path) -> None:
        raise DataError("CIFAR-10 could not be downloaded (no network).")

    monkeypatch.setattr(cifar10, "download", fails)
    said = upbench("quality", "--limit", "4", "--methods", "nearest", "--out", tmp_path)
    assert said.code == 0
    assert "Using the embedded photos instead" in said.err
    assert "not CIFAR-10" in said.out
    assert upbench("quality", "--dataset", "cifar10", "--methods", "nearest", "--out", tmp_path).code == 2


HELD = """
import pathlib, time
hold = pathlib.Path(__file__).with_name("hold")
def up(low):
    while len(low) > 2 and hold.exists():
        {wait}
    return F.interpolate(low, scale_factor=scale, mode="bilinear")
return up
"""


def plant(journal: Path, psnr_db: float) -> None:
    """Change the figure of `nearest`, to see whether it is used again."""
    header, *lines = journal.read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    changed = [row | {"psnr_db": psnr_db} if row["method"] == "nearest" else row for row in rows]
    assert changed != rows
    journal.write_text("\n".join([header, *map(json.dumps, changed), ""]))


def wait_until(true: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    for _ in range(1200):
        if true():
            return
        assert process.poll() is None, "it ended before it was killed"
        time.sleep(0.1)
    raise AssertionError("it never came so far")


@pytest.fixture
def stopped(adapter_file: Callable[..., str], environment: dict[str, str], tmp_path: Path) -> Callable[..., int]:
    """Run the command until two of its three methods are measured, then send it a signal; its exit code."""
    spec = adapter_file("held", HELD.format(wait="time.sleep(0.05)"))

    def run(number: int, out: Path) -> int:
        (tmp_path / "hold").touch()
        options = [*PHOTOS, "--methods", "nearest", "bicubic", "--method", spec, "--out", str(out)]
        process = subprocess.Popen(
            [sys.executable, "-m", "upbench.bench.cli.main", "quality", *options],
            env=environment,
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background job ignores it
        )
        journal = out / "quality.journal"
        try:
            wait_until(lambda: journal.is_file() and journal.read_bytes().count(b"\n") >= 3, process)
            process.send_signal(number)
            return process.wait(timeout=60)
        finally:
            process.kill()
            process.wait()
            (tmp_path / "hold").unlink()

    return run


def held_options(tmp_path: Path, *data: str) -> list[str]:
    spec = f"{tmp_path / 'held_adapter.py'}:held"
    return ["quality", *(data or PHOTOS), "--methods", "nearest", "bicubic", "--method", spec]


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_an_interrupted_run_goes_on_where_it_was(
    upbench: Callable, stopped: Callable[..., int], tmp_path: Path, number: int, code: int
) -> None:
    assert stopped(number, tmp_path / "out") == code
    assert not (tmp_path / "out" / "quality.csv").exists()
    assert (tmp_path / "out" / "quality.journal").read_bytes().count(b"\n") == 3, "what was broken off is no row"
    plant(tmp_path / "out" / "quality.journal", 12.5)
    assert upbench(*held_options(tmp_path), "--out", tmp_path / "out").code == 0
    found = table(tmp_path / "out").set_index("method")
    assert found.loc["nearest", "psnr_db"] == 12.5
    assert list(found["status"]) == ["ok"] * 3


def test_another_request_does_not_take_up_an_interrupted_one(
    upbench: Callable, stopped: Callable[..., int], tmp_path: Path
) -> None:
    stopped(signal.SIGKILL, tmp_path / "out")
    plant(tmp_path / "out" / "quality.journal", 12.5)
    options = held_options(tmp_path, "--dataset", "photos", "--limit", "23")
    assert upbench(*options, "--out", tmp_path / "out").code == 0
    assert table(tmp_path / "out").set_index("method").loc["nearest", "psnr_db"] != 12.5


def test_only_what_changed_is_measured_again(upbench: Callable, stopped: Callable[..., int], tmp_path: Path) -> None:
    stopped(signal.SIGKILL, tmp_path / "out")
    plant(tmp_path / "out" / "quality.journal", 12.5)
    adapter = tmp_path / "held_adapter.py"
    adapter.write_text(adapter.read_text().replace("bilinear", "nearest"))
    assert upbench(*held_options(tmp_path), "--out", tmp_path / "out").code == 0
    found = table(tmp_path / "out").set_index("method")
    assert found.loc["nearest", "psnr_db"] == 12.5, "its module is as it was"
    assert found.loc["held", "pixels"] == "nearest", "its module has changed"


def test_a_killed_run_ends_in_the_same_file_as_one_that_was_not(
    upbench: Callable, stopped: Callable[..., int], tmp_path: Path
) -> None:
    assert stopped(signal.SIGKILL, tmp_path / "killed") == -signal.SIGKILL
    assert not (tmp_path / "killed" / "quality.csv").exists()
    assert upbench(*held_options(tmp_path), "--out", tmp_path / "killed").code == 0
    assert upbench(*held_options(tmp_path), "--out", tmp_path / "whole").code == 0
    killed, whole = ((tmp_path / name / "quality.csv").read_text() for name in ("killed", "whole"))
    assert killed == whole
