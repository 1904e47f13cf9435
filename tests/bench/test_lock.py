"""One run at a time in one folder, however the run before it ended."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from upbench.bench.errors import UsageError
from upbench.bench.lock import NAME, folder_lock

HOLD = """
import sys, time
from pathlib import Path
from upbench.bench.lock import folder_lock
with folder_lock(Path(sys.argv[1])):
    {inside}
    print("held", flush=True)
    sys.stdin.read()
"""

Holder = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def holder(tmp_path: Path, environment: dict[str, str]) -> Iterator[Holder]:
    """A process that holds the folder until its standard input ends."""
    started: list[subprocess.Popen[str]] = []

    def start(inside: str = "pass") -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD.format(inside=inside), str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_the_second_run_is_told_who_holds_the_folder_and_since_when(tmp_path: Path, holder: Holder) -> None:
    process = holder()
    said = rf"is in use by process {process.pid} on \S+ since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC; wait"
    with pytest.raises(UsageError, match=said) as caught, folder_lock(tmp_path):
        pass
    assert "\n" not in str(caught.value)
    with pytest.raises(UsageError, match=said), folder_lock(tmp_path):  # asking did not let it go
        pass


def test_a_run_that_ended_leaves_nothing_behind(tmp_path: Path, holder: Holder) -> None:
    holder().communicate(input="")
    assert list(tmp_path.iterdir()) == []
    with folder_lock(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == [NAME]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_run_holds_nothing(tmp_path: Path, holder: Holder) -> None:
    process = holder()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (tmp_path / NAME).is_file()
    with folder_lock(tmp_path):
        pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_that_outlives_its_run_holds_nothing(tmp_path: Path, holder: Holder) -> None:
    process = holder("import os; os.fork() or time.sleep(5)")
    process.send_signal(signal.SIGKILL)
    process.wait()
    with folder_lock(tmp_path):
        pass


def test_a_clock_that_jumps_back_changes_nothing(tmp_path: Path, holder: Holder) -> None:
    (tmp_path / NAME).write_text('{"process": 1, "since": "2999-01-01 00:00:00+00:00", "host": "later"}')
    with folder_lock(tmp_path):  # nobody holds it, whatever it says
        pass


@pytest.mark.parametrize("text", ["", "{", "[]", '{"process": 1}', "\x00\xff"])
def test_a_holder_that_left_no_name_is_another_run(tmp_path: Path, holder: Holder, text: str) -> None:
    holder()
    (tmp_path / NAME).write_text(text)
    with pytest.raises(UsageError, match="is in use by another run; wait"), folder_lock(tmp_path):
        pass


def test_a_stage_inside_a_stage_enters_and_the_outer_one_keeps_the_folder(tmp_path: Path) -> None:
    with folder_lock(tmp_path):
        with folder_lock(tmp_path / "." / "."):
            pass
        assert (tmp_path / NAME).is_file()
        assert in_a_thread(tmp_path) == [f"{tmp_path} is in use by another thread of this process; wait, or name"]
    assert in_a_thread(tmp_path) == []


def in_a_thread(folder: Path) -> list[str]:
    said = []

    def attempt() -> None:
        try:
            with folder_lock(folder):
                pass
        except UsageError as error:
            said.append(str(error).removesuffix(" another folder."))

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
    return said


def test_an_error_inside_lets_the_folder_go(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), folder_lock(tmp_path / "new" / "folder"):
        raise RuntimeError
    assert in_a_thread(tmp_path / "new" / "folder") == []


def test_a_folder_that_vanishes_under_its_run_is_no_error_at_the_end(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with folder_lock(folder):
        (folder / NAME).unlink()
        folder.rmdir()
    assert in_a_thread(folder) == []
