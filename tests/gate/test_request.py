"""What a duet may be asked, and the two sides that this makes."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from upbench.bench.errors import UsageError
from upbench.bench.gate.pairing import pairings
from upbench.bench.gate.request import DuetRequest
from upbench.bench.gate.sides.checkout import checked_out, root_of


def pairing(**given):
    with ExitStack() as stack:
        (found,) = pairings(DuetRequest(**given), stack)
        return found


@pytest.fixture
def checkout(tmp_path):
    """A checkout with an adapter in two commits, `first` and `second`, and a third way in its files."""
    folder = tmp_path / "checkout"
    folder.mkdir()

    def git(*words: str) -> None:
        about = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", "-C", str(folder), *about, *words], check=True, capture_output=True)

    git("init", "-q")
    for tag in ("first", "second", "now"):
        (folder / "mine.py").write_text(f"def mine(scale, device, dtype):\n    '''{tag}'''\n")
        if tag != "now":
            git("add", ".")
            git("commit", "-q", "-m", tag)
            git("tag", tag)
    return folder


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "Give --candidate and either"),
        ({"baseline": "2.14.0"}, "Give --candidate and either"),
        ({"versus": ("bilinear",)}, "takes two methods"),
        ({"versus": ("bilinear", "bicubik")}, "did you mean bicubic"),
        ({"versus": ("bilinear", "bicubic"), "methods": ("nearest",)}, "leave out other methods"),
        ({"candidate_set": ("determinist=1",)}, "There is no flag"),
        ({"candidate_allocator": "jemalloc"}, "There is no allocator"),
        ({"baseline_ref": "main"}, "Commits are compared by --method"),
        ({"against": "file", "candidate": ("2.15.0",), "candidate_set": ("A=1",)}, "A kept baseline"),
        ({"candidate_set": ("A=1",), "precision": 3.0}, "precision"),
        ({"candidate_set": ("A=1",), "modes": ("jit",)}, "There is no mode"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_sentence(given, message):
    with pytest.raises(UsageError, match=message):
        DuetRequest(**given)


def test_a_request_goes_to_json_and_back():
    request = DuetRequest(versus=("bilinear", "bilinear"), threads=(1, 2), passes=("train",), precision=0.015)
    assert DuetRequest.from_json(request.to_json()) == request
    assert len(request.cells()) == 6


def test_two_methods_are_two_sides_of_this_python():
    found = pairing(versus=("bilinear", "polyphase-bilinear"), workloads=("image",), plant=("polyphase-bilinear=1.1",))
    assert [side.python for side in found.sides] == [Path(sys.executable)] * 2
    (question,) = found.questions
    assert (question.method_of(0), question.method_of(1)) == ("bilinear", "polyphase-bilinear")
    assert found.title == "bilinear -> polyphase-bilinear"
    assert found.words == "--versus bilinear polyphase-bilinear"
    assert question.planted(found.sides[1]) == 1.1


def test_a_setting_of_the_candidate_is_all_that_differs():
    found = pairing(candidate_set=("ATEN_CPU_CAPABILITY=avx2", "deterministic=1"), methods=("bilinear",))
    assert dict(found.sides[0].variables) == {}
    assert dict(found.sides[1].variables) == {"ATEN_CPU_CAPABILITY": "avx2"}
    assert dict(found.sides[1].flags) == {"deterministic": "1"}
    assert found.title == "this python -> this python ATEN_CPU_CAPABILITY=avx2 deterministic=1"
    assert found.words == "--candidate-set ATEN_CPU_CAPABILITY=avx2 deterministic=1"


def test_the_allocator_is_an_axis_of_both_or_of_the_candidate():
    assert [side.allocator for side in pairing(candidate_set=("A=1",), allocator="plain").sides] == ["plain", "plain"]
    found = pairing(candidate_allocator="plain")
    assert [side.allocator for side in found.sides] == ["held", "plain"]
    assert "allocator plain" in found.title


def test_two_commits_are_worktrees_of_their_own_that_are_removed(checkout):
    request = DuetRequest(baseline_ref="first", candidate_ref="second", method=(f"{checkout / 'mine.py'}:mine",))
    with ExitStack() as stack:
        (found,) = pairings(request, stack)
        files = [Path(found.questions[0].method_of(index).rpartition(":")[0]) for index in (0, 1)]
        assert ["first" in files[0].read_text(), "second" in files[1].read_text()] == [True, True]
        assert files[0].parent in found.sides[0].path
        assert found.title.startswith("first (")
        assert len(set(found.commits)) == 2
    assert not any(file.exists() for file in files)
    listed = subprocess.run(
        ["git", "-C", str(checkout), "worktree", "list"], capture_output=True, text=True, check=True
    )
    assert len(listed.stdout.splitlines()) == 1


def test_without_a_second_commit_the_files_are_taken_as_they_are(checkout):
    found = pairing(baseline_ref="first", method=(f"{checkout / 'mine.py'}:mine",))
    assert "now" in Path(found.questions[0].method_of(1).rpartition(":")[0]).read_text()
    assert not found.questions[0].two_methods


def test_a_commit_or_a_file_that_is_not_there_is_told(checkout, tmp_path):
    root = root_of(f"{checkout / 'mine.py'}:mine")
    with pytest.raises(UsageError, match="There is no commit 'third'"), checked_out("third", root):
        pass
    with checked_out("first", root) as commit, pytest.raises(UsageError, match="has no file"):
        commit.spec(f"{checkout / 'other.py'}:mine")
    with pytest.raises(UsageError, match="git cannot do that"):
        root_of(f"{tmp_path / 'elsewhere.py'}:mine")
