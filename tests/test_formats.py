"""Files of every format that there ever was are read today: `tests/fixtures/format-N` is never changed, only added."""

import json
import shutil
from pathlib import Path

import pytest

from upbench.bench import store
from upbench.bench.errors import UsageError
from upbench.reports import frame

FIXTURES = Path(__file__).parent / "fixtures"
FORMATS = sorted(FIXTURES.glob("format-*"))
DOCUMENTS = [path for folder in FORMATS for path in sorted(folder.glob("*.json"))]


def named(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def test_there_are_files_of_every_format() -> None:
    assert [folder.name for folder in FORMATS] == [f"format-{n}" for n in range(1, store.FORMAT + 1)]


@pytest.mark.parametrize("folder", FORMATS, ids=lambda folder: folder.name)
def test_a_run_of_any_format_is_read_whole(folder: Path) -> None:
    run = frame.read(folder)
    for table in (run.quality, run.comparisons, run.diagnostics, run.response, run.speed, run.sweep, run.cells):
        assert len(table)
    assert run.quality["psnr_db"].notna().all()
    assert (run.speed["seconds"] > 0).all()
    assert run.host["packages"]["torch"]
    assert run.versions[0]["cells"][0]["verdict"] == "SAME"
    assert "pairs/nearest" in run.samples


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_a_document_of_any_format_comes_out_in_todays(path: Path) -> None:
    assert store.read_json(path)["format"] == store.FORMAT


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_a_document_of_a_newer_format_is_refused_by_the_report_and_by_every_stage(path: Path, tmp_path: Path) -> None:
    shutil.copytree(path.parent, tmp_path / "run")
    newer = json.loads(path.read_text()) | {"format": store.FORMAT + 1}
    (tmp_path / "run" / path.name).write_text(json.dumps(newer))
    with pytest.raises(UsageError, match="newer upbench; upgrade to read it"):
        store.read_json(tmp_path / "run" / path.name)
    with pytest.raises(frame.ReportError, match="newer upbench; upgrade to read it"):
        frame.read(tmp_path / "run")


def test_a_journal_of_today_goes_on(tmp_path: Path) -> None:
    shutil.copy(FORMATS[-1] / "quality.journal", tmp_path)
    journal = store.Journal(tmp_path / "quality.journal", {}, keys={"nearest": "k1", "bicubic": "k2"}, name="method")
    assert [row["method"] for row in journal.rows] == ["nearest"]


@pytest.mark.parametrize(
    "name, document, said",
    [
        ("host.json", {"host": []}, "host is of another kind"),
        ("versions.json", {"comparisons": [{}, 7]}, r"comparisons\[1\] is of another kind"),
        (
            "speed.json",
            {"benchmarks": [{"stats": {"data": ["1"]}}]},
            r"benchmarks\[0\]\.stats\.data\[0\] is of another",
        ),
        ("speed.json", {"cells": {}}, "cells is no list"),
        ("quality.json", {"protocol": True}, "protocol is of another kind"),
    ],
)
def test_a_document_of_another_shape_is_refused_with_the_place(
    tmp_path: Path, name: str, document: dict[str, object], said: str
) -> None:
    shutil.copytree(FORMATS[-1], tmp_path / "run")
    (tmp_path / "run" / name).write_text(json.dumps(document))
    with pytest.raises(frame.ReportError, match=f"{name} is not a file of upbench's: {said}"):
        frame.read(tmp_path / "run")


def test_a_file_beyond_any_size_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from upbench.reports import files

    monkeypatch.setattr(files, "LARGEST", 1000)
    for name in ("speed.json", "quality.csv", "samples.npz"):
        folder = tmp_path / name
        folder.mkdir()
        shutil.copy(FORMATS[-1] / name, folder)
        shutil.copy(FORMATS[-1] / "quality.json", folder)
        if name == "samples.npz":
            with pytest.raises(frame.ReportError, match="holds more than"):
                files.read_samples(folder / name)
        else:
            with pytest.raises(frame.ReportError, match=f"{name} holds more than"):
                frame.read(folder)


def test_text_in_a_column_of_numbers_is_damage(tmp_path: Path) -> None:
    shutil.copytree(FORMATS[-1], tmp_path / "run")
    table = (FORMATS[-1] / "quality.csv").read_text().splitlines()
    header, row = table[0].split(","), table[1].split(",")
    row[header.index("psnr_db")] = "<b>best</b>"
    (tmp_path / "run" / "quality.csv").write_text("\n".join([table[0], ",".join(row)]) + "\n")
    with pytest.raises(frame.ReportError, match="its column psnr_db holds text"):
        frame.read(tmp_path / "run")
