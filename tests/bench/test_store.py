"""Files are whole or not there; a journal loses nothing that was measured."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upbench.bench import store
from upbench.bench.errors import UsageError
from upbench.bench.store import Journal

ROWS = [{"cell": "a", "seconds": 0.1}, {"cell": "b", "seconds": 1e-9}]


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "down" / "file.txt"
    store.write_text(path, "old")
    store.write_text(path, "new")
    assert path.read_text() == "new"
    assert [entry.name for entry in path.parent.iterdir()] == ["file.txt"]


def test_a_writer_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    store.write_text(path, "old")
    with pytest.raises(RuntimeError), store.replacing(path) as temporary:
        temporary.write_text("half of the n")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_while_a_file_is_written_the_old_one_is_what_a_reader_sees(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    store.write_text(path, "old")
    with store.replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
        assert temporary.suffix == path.suffix
    assert path.read_text() == "new"


def test_a_json_document_comes_back_with_its_format(tmp_path: Path) -> None:
    store.write_json(tmp_path / "a.json", {"x": [1, 2.5, None]})
    assert store.read_json(tmp_path / "a.json") == {"format": 1, "x": [1, 2.5, None]}


@pytest.mark.parametrize("text", ["", "{", "\x00", "nonsense"])
def test_damaged_json_is_told_in_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(UsageError, match=r"a\.json cannot be read as JSON"):
        store.read_json(tmp_path / "a.json")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no file .*nothing\.json"):
        store.read_json(tmp_path / "nothing.json")


def test_a_file_of_a_newer_format_asks_for_an_upgrade(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"format": store.FORMAT + 1}))
    with pytest.raises(UsageError, match="upgrade"):
        store.read_json(tmp_path / "a.json")


def filled(path: Path) -> Path:
    journal = Journal(path, {"asked": [1]})
    for row in ROWS:
        journal.append(row)
    return path


def test_an_interrupted_stage_with_the_same_request_goes_on(tmp_path: Path) -> None:
    assert Journal(filled(tmp_path / "journal"), {"asked": [1]}).rows == ROWS


def test_another_request_starts_anew(tmp_path: Path) -> None:
    path = filled(tmp_path / "journal")
    assert Journal(path, {"asked": [2]}).rows == []
    assert Journal(path, {"asked": [2]}).rows == []


def test_what_another_process_appended_is_seen_after_a_reload(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal", {})
    store.append_row(tmp_path / "journal", ROWS[0])
    assert journal.rows == []
    journal.reload()
    assert journal.rows == ROWS[:1]


def test_a_finished_stage_leaves_no_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal", {})
    journal.finish()
    assert list(tmp_path.iterdir()) == []


@given(cut=st.integers(0, 200))
def test_a_journal_cut_anywhere_loses_its_half_written_line_only(
    cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = filled(tmp_path_factory.mktemp("cut") / "journal")
    whole = path.read_bytes()
    kept = whole[: max(0, len(whole) - cut)]
    path.write_bytes(kept)
    expected = max(0, kept.count(b"\n") - 1)  # the first line is the request
    resumed = Journal(path, {"asked": [1]})
    assert resumed.rows == ROWS[:expected]
    resumed.append({"cell": "c"})
    assert Journal(path, {"asked": [1]}).rows == [*ROWS[:expected], {"cell": "c"}]


def test_rubbish_in_a_journal_is_not_taken_for_a_result(tmp_path: Path) -> None:
    path = filled(tmp_path / "journal")
    with path.open("ab") as file:
        file.write(b"\xff\xfe not a line of ours\n[1, 2]\n")
    assert Journal(path, {"asked": [1]}).rows == ROWS


def test_infinity_survives_the_journal(tmp_path: Path) -> None:
    Journal(tmp_path / "journal", {}).append({"psnr_db": float("inf")})
    assert Journal(tmp_path / "journal", {}).rows == [{"psnr_db": float("inf")}]
