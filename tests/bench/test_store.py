"""Files are whole or not there; a journal loses nothing that was measured."""

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def disk_of(size: int) -> Iterator[None]:
    """Let no file grow beyond so many bytes: the system then refuses a write half-way, as a full disk does.

    Inside the block alone: pytest's own output may be such a file.
    """
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_one_sentence_and_leaves_no_half_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    store.write_json(path, {"x": 1})
    with (
        pytest.raises(UsageError, match=r"a\.json cannot be written \(.+\); see to the folder and its disk"),
        disk_of(100),
    ):
        store.write_json(path, {"x": "long" * 100})
    assert store.read_json(path)["x"] == 1
    assert list(tmp_path.iterdir()) == [path]


def test_after_a_full_disk_the_journal_goes_on_behind_its_last_whole_line(tmp_path: Path) -> None:
    path = filled(tmp_path / "journal")
    journal = Journal(path, {"asked": [1]})
    with pytest.raises(UsageError, match="journal cannot be written"), disk_of(path.stat().st_size + 20):
        journal.append({"cell": "c" * 50})
    assert Journal(path, {"asked": [1]}).rows == ROWS
    store.append_row(path, {"cell": "d"})
    assert Journal(path, {"asked": [1]}).rows == [*ROWS, {"cell": "d"}]


def test_a_line_that_a_killed_process_left_half_written_costs_itself_only(tmp_path: Path) -> None:
    path = filled(tmp_path / "journal")
    with path.open("ab") as file:
        file.write(b'{"cell": "' + b"c" * 9000)
    store.append_row(path, {"cell": "d"})
    assert Journal(path, {"asked": [1]}).rows == [*ROWS, {"cell": "d"}]


def test_a_journal_whose_folder_was_taken_away_is_written_again_with_all_its_rows(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "out" / "journal", {"asked": [1]})
    journal.append(ROWS[0])
    shutil.rmtree(tmp_path / "out")
    journal.append(ROWS[1])
    assert Journal(tmp_path / "out" / "journal", {"asked": [1]}).rows == ROWS


@pytest.mark.parametrize("number, said", [(errno.EACCES, "Permission denied"), (errno.EROFS, "Read-only file system")])
def test_a_folder_that_takes_no_file_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), str(tmp_path / ".a-1.json"))

    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    with pytest.raises(UsageError, match=rf"a\.json cannot be written \({said}\); see to the folder"):
        store.write_json(tmp_path / "a.json", {})


def test_an_error_of_another_file_keeps_its_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="elsewhere"), store.replacing(tmp_path / "a.json"):
        (tmp_path / "elsewhere" / "b").read_text()


@pytest.mark.parametrize("line", [b"[1]", b"7", b"{", b"[" * 100_000, b"\xff\xfe", b"", b'"x"'])
def test_a_journal_is_read_up_to_the_first_line_that_is_not_ours(tmp_path: Path, line: bytes) -> None:
    path = filled(tmp_path / "journal")
    first, second, third = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + second + line + b"\n" + third)
    assert Journal(path, {"asked": [1]}).rows == ROWS[:1]


@pytest.mark.parametrize("text", ["[" * 100_000, "[1]", "7", '{"format": "1"}', '{"format": 0}', '{"format": null}'])
def test_json_that_is_not_ours_is_told_in_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(UsageError, match=r"a\.json (cannot be read as JSON|is not a file of upbench's)"):
        store.read_json(tmp_path / "a.json")


def test_an_older_file_is_brought_to_todays_format_step_by_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write_json(tmp_path / "a.json", {"seconds": 2})
    store.write_json(tmp_path / "b.json", {"seconds": 2})
    monkeypatch.setattr(store, "FORMAT", 3)
    monkeypatch.setitem(store.MIGRATIONS, ("a.json", 1), lambda old: {"milliseconds": 1000 * old["seconds"]})
    monkeypatch.setitem(store.MIGRATIONS, ("a.json", 2), lambda old: {"ms": old["milliseconds"]})
    assert store.read_json(tmp_path / "a.json") == {"format": 3, "ms": 2000}
    assert store.read_json(tmp_path / "b.json") == {"format": 3, "seconds": 2}


def test_a_file_without_a_format_is_of_the_first(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"x": 1}')
    assert store.read_json(tmp_path / "a.json") == {"x": 1}


@pytest.mark.parametrize("cell", [["a"], {}, None, 7, True, "other"])
def test_a_row_with_a_foreign_name_is_no_row_of_ours(tmp_path: Path, cell: object) -> None:
    Journal(tmp_path / "journal", {}, keys={"a": "1"}, name="cell").append(ROWS[0])
    store.append_row(tmp_path / "journal", {"cell": cell})
    assert Journal(tmp_path / "journal", {}, keys={"a": "1"}, name="cell").rows == ROWS[:1]
