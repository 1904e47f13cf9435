"""A worker's mother serves the next walls too; whatever a child of hers did, they find everything as new."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from upbench.bench.errors import FailedError
from upbench.bench.workers import home, pipes
from upbench.bench.workers.pipes import START_SECONDS, WorkerError
from upbench.bench.workers.walls import Walls

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a worker has a mother on Linux only")
LOW = torch.rand(1, 3, 8, 8)


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def used(method: str, **about: float) -> tuple[int, int]:
    """The process that upsampled and its mother, after the walls are closed."""
    with Walls(timeout=60, **about) as walls:
        walls.upsampler(method, 2, torch.float32, check=False).attempt(LOW)
        assert walls._home is not None
        pid = walls._home.worker.pid
        return pid, parent_of(pid)


def test_the_next_walls_have_another_child_of_the_same_mother() -> None:
    (first, mother), (second, again) = used("bicubic"), used("nearest")
    assert mother == again
    assert first != second
    assert not Path(f"/proc/{first}").exists()


def test_walls_at_the_same_time_have_a_mother_each() -> None:
    with Walls(timeout=60) as one, Walls(timeout=60) as other:
        one.enter("a module")
        other.enter("a module")
        assert one._home is not other._home


@pytest.mark.parametrize("change", ["variable", "threads"])
def test_walls_that_would_start_otherwise_have_their_own(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _, mother = used("nearest")
    if change == "variable":
        monkeypatch.setenv("ATEN_CPU_CAPABILITY", "default")
    _, another = used("nearest", threads=2 if change == "threads" else 1)
    assert mother != another


TRACES = {
    "what it wrote": "import os; os.makedirs('a/b'); open('a/b/c', 'w').close(); open('../trace', 'w').close();"
    "os.chmod('a', 0); os.symlink('/', 'root')",
    "no folder": "import os; os.rmdir(os.getcwd())",
    "another folder": "import os; here = os.getcwd(); os.rename(here, here + '2'); os.mkdir(here)",
    "a changed torch": "import torch; torch.nn.functional.interpolate = torch.set_default_dtype(torch.float64)",
    "a mother who stands still": "import os, signal; os.kill(os.getppid(), signal.SIGSTOP)",
    "no mother": "import os, signal; os.kill(os.getppid(), signal.SIGKILL)",
}


@pytest.mark.parametrize("trace", TRACES)
def test_the_next_walls_find_no_trace(
    trace: str, adapter_file: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (home, pipes):
        monkeypatch.setattr(module, "END_SECONDS", 1.0)
    due = torch.nn.functional.interpolate(LOW, scale_factor=2)
    spec = adapter_file("leaves", f"{TRACES[trace]}\nreturn lambda low: low.repeat(1, 1, scale, scale)")
    with Walls(timeout=60) as walls:
        try:
            walls.upsampler(spec, 2, torch.float32, check=False)
        except FailedError:
            assert trace == "no mother"
    with Walls(timeout=60) as walls:
        assert torch.equal(walls.upsampler("nearest", 2, torch.float32, check=False).attempt(LOW), due)
        assert walls._home is not None
        assert sorted(path.name for path in walls._home.folder.iterdir()) == ["high", "low", "work"]
        assert list(walls._home.work.iterdir()) == []
        assert walls._home.work.samefile(f"/proc/{walls._home.worker.pid}/cwd")


def test_last_words_are_not_those_of_an_earlier_child(adapter_file: Callable[..., str]) -> None:
    speaks = adapter_file("speaks", "import sys\nprint('mine', file=sys.stderr, flush=True)\nreturn lambda low: low")
    used("nearest")
    with Walls(timeout=60) as walls:
        walls.upsampler(speaks, 2, torch.float32, check=False)
    found = home.find(1)
    try:
        os.kill(found.worker.pid, 9)
        with pytest.raises(WorkerError, match=r"exit status -9$"):
            found.worker.ask({"ask": "summary"}, START_SECONDS)
    finally:
        found.leave()


def test_nobody_waits_whose_question_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    walls = Walls(timeout=60)
    walls.enter("a module")
    assert walls._home is not None
    mother = parent_of(walls._home.worker.pid)
    monkeypatch.setattr(walls._home.worker, "_receive", interrupted)
    with pytest.raises(KeyboardInterrupt):
        walls.summary("nearest")
    walls.close()
    assert not Path(f"/proc/{mother}").exists()


def interrupted(seconds: float) -> dict[str, object]:
    raise KeyboardInterrupt


def test_no_more_wait_than_the_machine_has_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "MOST", 1)
    walls = [Walls(timeout=60), Walls(timeout=60)]
    for one in walls:
        one.enter("a module")
    homes = [one._home for one in walls]
    for one in walls:
        one.close()
    assert [found is not None and found.folder.exists() for found in homes] == [False, True]


SCRIPT = """
import os, torch
from upbench.bench.workers.walls import Walls
with Walls(timeout=60) as walls:
    walls.upsampler("nearest", 2, torch.float32, check=False)
    home = walls._home
print(os.getpid(), home.worker.pid, home.folder)
if not os.fork():
    raise SystemExit  # a copy of us, whose mothers they are not
os.wait()
with Walls(timeout=60) as walls:
    walls.upsampler("nearest", 2, torch.float32, check=False)
    assert walls._home is home, "the copy has ended it"
"""


def test_nobody_waits_after_the_end(environment: dict[str, str]) -> None:
    ended = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=environment)
    assert ended.returncode == 0, ended.stderr
    parent, worker, folder = ended.stdout.splitlines()[0].split()
    time.sleep(0.2)
    assert not Path(folder).exists()
    assert not Path(f"/proc/{worker}").exists()
    assert not Path(f"/proc/{parent}").exists()
