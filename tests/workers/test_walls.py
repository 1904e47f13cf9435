"""Whatever an adapter does behind the walls becomes a reason, and the next one goes on as if nothing had been."""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cloudpickle
import pytest
import torch
from torch.nn.functional import interpolate

from upbench.bench.adapters import check_methods, find, lazily
from upbench.bench.errors import FailedError, SkippedError, UsageError
from upbench.bench.upsampler import build
from upbench.bench.workers.walls import Walls

CPU = torch.device("cpu")
LOW = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(3))
linux = pytest.mark.skipif(sys.platform != "linux", reason="workers fork, and take theirs with them, on Linux only")
WriteAdapter = Callable[..., str]


@pytest.fixture(scope="module")
def walls() -> Iterator[Walls]:
    with Walls(timeout=60) as made:
        yield made


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pids: list[int], seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while any(map(alive, pids)) and time.monotonic() < end:
        time.sleep(0.02)
    return not any(map(alive, pids))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.uint8], ids=str)
@pytest.mark.parametrize("method", ["nearest", "bicubic", "lanczos3", "pillow-bicubic", "transposed-random"])
def test_results_are_bit_by_bit_those_of_a_local_call(walls: Walls, method: str, dtype: torch.dtype) -> None:
    low = (LOW * 255).to(dtype) if dtype == torch.uint8 else LOW.to(dtype)
    try:
        local = build(find(method), 2, CPU, dtype)
        due = local.attempt(low)
    except SkippedError as reason:
        with pytest.raises(SkippedError) as caught:
            walls.upsampler(method, 2, dtype, check=False).attempt(low)
        assert str(caught.value) == str(reason)
        return
    remote = walls.upsampler(method, 2, dtype)
    found = remote.attempt(low)
    assert remote.native == local.native
    assert (found.dtype, found.stride()) == (due.dtype, due.stride())
    assert torch.equal(found, due)


LOST = {
    "segfault": ("ctypes.string_at(0)", r"^the process died \(signal 11\)$"),
    "leaves": ("os._exit(0)", r"^the process died \(exit code 0\)$"),
    "exits": ("sys.exit(0)", r"^it raised SystemExit: 0$"),
    "terminates": ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)", r"^the process died \(signal 15\)$"),
    "kills": ("os.kill(os.getpid(), signal.SIGKILL); time.sleep(9)", r"^the process died \(signal 9\)$"),
    "interrupts": ("raise KeyboardInterrupt", r"^it raised KeyboardInterrupt$"),
    "hoards": ("torch.empty(50 << 30, dtype=torch.uint8).fill_(1)", r"^it raised RuntimeError: .*memory"),
    "hangs": ("while True: pass", r"^it gave no answer in 2 s$"),
    "deadlocks": ("lock = threading.Lock(); lock.acquire(); lock.acquire()", r"^it gave no answer in 2 s$"),
    "ends_its_parent": ("os.kill(os.getppid(), signal.SIGTERM); time.sleep(9)", r"^the process died \(signal 15\)$"),
    "reads": ("input()", r"^it raised EOFError"),
    "raises": ("raise ValueError('out of luck')", r"^it raised ValueError: out of luck$"),
    "shape": ("return low", r"^it returned shape \(2, 3, 16, 16\) for an input of \(2, 3, 16, 16\)$"),
    "list": ("return [low]", r"^it returned a list, not a tensor$"),
}
TOP = "import ctypes, os, signal, sys, threading, time"


@linux
@pytest.mark.parametrize("name", LOST)
def test_a_call_that_goes_wrong_costs_itself_and_the_next_one_goes_on(
    walls: Walls, name: str, adapter_file: WriteAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, reason = LOST[name]
    spec = adapter_file(name, f"def up(low):\n    {body}\nreturn up", top=TOP)
    good = walls.upsampler("bicubic", 2, torch.float32, check=False)
    due = good.attempt(LOW)
    bad = walls.upsampler(spec, 2, torch.float32, check=False)
    with monkeypatch.context() as patched:
        patched.setattr(walls, "timeout", 2)
        with pytest.raises(FailedError, match=reason):
            bad.attempt(LOW)
    assert torch.equal(good.attempt(LOW), due)


@linux
def test_a_process_that_dies_between_two_calls_is_the_next_calls_failure(
    walls: Walls, adapter_file: WriteAdapter
) -> None:
    body = """
    def up(low):
        threading.Timer(0.2, os._exit, (4,)).start()
        return low.repeat(1, 1, scale, scale)
    return up
    """
    late = walls.upsampler(adapter_file("late", body, top=TOP), 2, torch.float32, check=False)
    late.attempt(LOW)
    time.sleep(0.6)
    with pytest.raises(FailedError, match=r"the process died \(exit code 4\)"):
        late.attempt(LOW)
    assert late.attempt(LOW).shape == (2, 3, 32, 32)
    time.sleep(0.6)
    assert walls.upsampler("bicubic", 2, torch.float32, check=False).attempt(LOW).shape == (2, 3, 32, 32)


@linux
@pytest.mark.parametrize(
    ("name", "body", "top", "reason"),
    [
        ("at_import", "return 1", "import os\nos._exit(3)", r"^the process died \(exit code 3\)$"),
        ("exits_at_import", "return 1", "import sys\nsys.exit('no')", r"^it raised SystemExit: no$"),
        ("raises_at_import", "return 1", "1 / 0", r"^its module cannot be imported: division by zero$"),
        ("in_factory", "os.abort()", "import os", r"^the process died \(signal 6\)$"),
        ("raises", "raise ValueError('no')", "", r"^its factory raised ValueError: no$"),
        ("not_callable", "return 1", "", r"^its factory returned nothing that can be called$"),
        ("nan", "return lambda low: F.interpolate(low, scale_factor=scale) * float('nan')", "", "NaN or infinite"),
    ],
)
def test_import_factory_and_checks_are_behind_the_walls(
    walls: Walls, name: str, body: str, top: str, reason: str, adapter_file: WriteAdapter
) -> None:
    with pytest.raises(FailedError, match=reason):
        walls.upsampler(adapter_file(name, body, top=top), 2, torch.float32)


def test_what_is_not_there_is_told_and_what_is_absent_is_skipped(walls: Walls, adapter_file: WriteAdapter) -> None:
    path = adapter_file("there", "return 1").rpartition(":")[0]
    with pytest.raises(UsageError, match="has no factory named 'other'"):
        walls.upsampler(f"{path}:other", 2, torch.float32)
    with pytest.raises(SkippedError, match="No module named 'absent_library'"):
        walls.upsampler(adapter_file("needs", "return 1", top="import absent_library"), 2, torch.float32)
    with pytest.raises(SkippedError, match="not by three"):
        spec = adapter_file("declines", "raise NotImplementedError('not by three')")
        walls.upsampler(spec, 3, torch.float32)


@linux
def test_state_does_not_reach_the_next_module(walls: Walls, adapter_file: WriteAdapter) -> None:
    body = "torch.set_default_dtype(torch.float64)\nos.chdir('/')\nreturn lambda low: low.repeat(1, 1, 2, 2)"
    walls.upsampler(adapter_file("changes", body, top="import os"), 2, torch.float32, check=False).attempt(LOW)
    body = "return lambda low: low.repeat(1, 1, 2, 2) * 0 + torch.get_default_dtype().itemsize"
    clean = walls.upsampler(adapter_file("clean", body), 2, torch.float32, check=False)
    assert clean.attempt(LOW).unique().tolist() == [4.0]


@linux
def test_a_copy_that_forks_off_answers_nothing_and_is_gone_with_the_walls(
    adapter_file: WriteAdapter, tmp_path: Path
) -> None:
    top = f"""
    import os, subprocess, time
    def note(pid):
        with open({str(tmp_path / "pids")!r}, "a") as file:
            file.write(f"{{pid}}\\n")
    """
    body = """
    def up(low):
        if not os.fork():
            note(os.getpid())
            if not os.fork():
                os.setsid()
                note(os.getpid())
                time.sleep(600)
        else:
            note(subprocess.Popen(["sleep", "600"], start_new_session=True).pid)
            time.sleep(0.3)
        return F.interpolate(low, scale_factor=scale)
    return up
    """
    with Walls(timeout=60) as walls:
        forks = walls.upsampler(adapter_file("forks", body, top=top), 2, torch.float32, check=False)
        assert forks.attempt(LOW).shape == (2, 3, 32, 32)
        assert torch.equal(forks.attempt(LOW), interpolate(LOW, scale_factor=2))
        pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
        walls.enter("another module")
        assert gone(pids)
        assert len(pids) == 6


PARENT = """
import sys, time, torch
from upbench.bench.workers.walls import Walls
walls = Walls(timeout=600)
walls.upsampler(sys.argv[1], 2, torch.float32, check=False).attempt(torch.rand(1, 3, 8, 8))
print(walls._home.worker.pid, walls._home.folder, flush=True)
walls.upsampler(sys.argv[1], 2, torch.float32, check=False).attempt(torch.rand(2, 3, 8, 8))
"""


@linux
def test_nothing_outlives_a_parent_that_is_killed_even_in_the_middle_of_a_hang(
    adapter_file: WriteAdapter, tmp_path: Path
) -> None:
    body = """
    def up(low):
        if len(low) > 1:
            time.sleep(600)
        file = open(FILE, "w")
        print(subprocess.Popen(["sleep", "600"], start_new_session=True).pid, file=file, flush=True)
        return F.interpolate(low, scale_factor=scale)
    return up
    """
    top = f"import subprocess, time\nFILE = {str(tmp_path / 'pid')!r}"
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    command = [sys.executable, str(script), adapter_file("hangs", body, top=top)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker, folder = parent.stdout.readline().split()
        pids = [int(worker), int((tmp_path / "pid").read_text())]
        time.sleep(0.3)
        assert all(map(alive, pids))
        parent.send_signal(signal.SIGKILL)
    assert gone(pids, seconds=2)
    time.sleep(0.5)
    assert not Path(folder).exists()


@linux
def test_walls_live_on_when_the_thread_that_opened_them_ends() -> None:
    with Walls(timeout=60) as walls:
        thread = threading.Thread(target=lambda: walls.upsampler("bicubic", 2, torch.float32, check=False))
        thread.start()
        thread.join()
        first = walls.upsampler("bicubic", 2, torch.float32, check=False)
        time.sleep(0.2)
        first.attempt(LOW)
        assert walls.enter(first._adapter.module) == 1, "it is the process that the thread started"


def test_the_time_of_all_answers_is_limited_too(adapter_file: WriteAdapter) -> None:
    body = "def up(low):\n    time.sleep(0.4)\n    return low.repeat(1, 1, scale, scale)\nreturn up"
    with Walls(timeout=60, total=60) as walls:
        slow = walls.upsampler(adapter_file("slow", body, top="import time"), 2, torch.float32, check=False)
        slow._left = 0.3
        with pytest.raises(FailedError, match="it gave no answer in"):
            slow.attempt(LOW)
        with pytest.raises(FailedError, match="its answers took longer than 60 s in all"):
            slow.attempt(LOW)


def test_modules_are_found_where_the_parent_finds_them(
    walls: Walls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "somewhere_else.py").write_text(
        "def twice(scale, device, dtype):\n"
        "    '''Repeat pixels.\n\n    At length.'''\n"
        "    return lambda low: low.repeat_interleave(scale, -1).repeat_interleave(scale, -2)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    walls.close()
    found = walls.upsampler("somewhere_else:twice", 2, torch.float32).attempt(LOW)
    assert torch.equal(found, interpolate(LOW, scale_factor=2, mode="nearest"))
    assert walls.summary("somewhere_else:twice") == "Repeat pixels."


@pytest.mark.parametrize("kind", ["factory", "upsampler"])
def test_a_callable_of_the_callers_own_comes_pickled(walls: Walls, kind: str, tmp_path: Path) -> None:
    here = os.getpid()

    def upsampler(low):
        assert os.getpid() != here
        return interpolate(low, scale_factor=2)

    def factory(scale, device, dtype):
        assert (scale, device.type, dtype) == (2, "cpu", torch.float32)
        return upsampler

    path = tmp_path / "own.pkl"
    path.write_bytes(cloudpickle.dumps({"factory": factory, "upsampler": upsampler}[kind]))
    spec = f"pickled:{path}:own"
    check_methods(None, [spec])
    assert (lazily(spec).name, lazily(spec).family) == ("own", "own")
    assert torch.equal(walls.upsampler(spec, 2, torch.float32).attempt(LOW), upsampler_here(LOW))


def upsampler_here(low: torch.Tensor) -> torch.Tensor:
    return interpolate(low, scale_factor=2)


def test_what_is_pickled_is_loaded_in_the_worker_only(walls: Walls, tmp_path: Path) -> None:
    path = tmp_path / "hostile.pkl"
    path.write_bytes(pickle.dumps(Leaver()))
    with pytest.raises(FailedError, match=r"the process died \(exit code 5\)"):
        walls.upsampler(f"pickled:{path}:hostile", 2, torch.float32)
    with pytest.raises(UsageError, match=r"There is no file .*absent.pkl"):
        walls.upsampler(f"pickled:{tmp_path}/absent.pkl:absent", 2, torch.float32)


class Leaver:
    def __reduce__(self):
        return os._exit, (5,)
