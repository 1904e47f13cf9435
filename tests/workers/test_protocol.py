import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from upbench.bench.errors import FailedError, SkippedError
from upbench.bench.workers.launch import own_environment, take_snapshot, worker_command, worker_environment
from upbench.bench.workers.pipes import Worker, WorkerError

CELLS = "upbench.bench.gate.served:Cells"
BLOCK = {"ask": "block", "cell": "bicubic/x2/single", "calls": 2, "seed": 1, "planted": 1.0}


def start(python: Path) -> Worker:
    return Worker(worker_command(python, CELLS), os.environ, python.parent)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_for(condition, seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_a_worker_greets_answers_and_ends(fake):
    worker = start(fake())
    assert worker.greet()["protocol"] == 1
    assert worker.ask(BLOCK, 10)["seconds"] > 0
    worker.kill()
    assert not alive(worker.pid)


def test_another_protocol_is_refused(fake):
    worker = start(fake(protocol=2))
    with pytest.raises(WorkerError, match="speaks protocol 2, not 1"):
        worker.greet()
    assert not alive(worker.pid)


def test_a_worker_without_torch_says_why_it_did_not_start(fake):
    with pytest.raises(WorkerError, match=r"crashed: exit status 1; ImportError: no torch here"):
        start(fake(mute=True)).greet()


def test_a_slow_start_is_waited_for_and_a_too_slow_one_is_not(fake):
    patient = start(fake("patient", start=0.5))
    assert patient.greet(30)["protocol"] == 1
    patient.kill()
    with pytest.raises(WorkerError, match="hung"):
        start(fake("late", start=60)).greet(0.5)


@pytest.mark.parametrize(
    ("trouble", "says"),
    [("crash", "crashed: exit status 7; it hurt"), ("hang", "hung"), ("garbage", "answered nonsense")],
)
def test_a_lost_worker_is_killed_and_named(fake, trouble, says):
    worker = start(fake(trouble={"bicubic": trouble}))
    worker.greet()
    with pytest.raises(WorkerError, match=says):
        worker.ask(BLOCK, 1)
    assert not alive(worker.pid)


@pytest.mark.parametrize(("trouble", "error"), [("skip", SkippedError), ("fail", FailedError)])
def test_a_refused_cell_leaves_the_worker_alive(fake, trouble, error):
    worker = start(fake(trouble={"bicubic": trouble}))
    worker.greet()
    with pytest.raises(error, match="it would not"):
        worker.ask(BLOCK, 10)
    assert worker.ask(BLOCK | {"cell": "nearest/x2/single"}, 10)["seconds"] > 0
    worker.kill()


def test_the_real_worker_survives_prints_and_times_a_block(tmp_path):
    noisy = tmp_path / "noisy.py"
    noisy.write_text(
        "import os\n"
        "print('at import')\n"
        "def loud(scale, device, dtype):\n"
        "    def call(low):\n"
        "        print('a stray line')\n"
        "        os.write(1, b'{}\\n')\n"
        "        return low.repeat_interleave(scale, -1).repeat_interleave(scale, -2)\n"
        "    return call\n"
    )
    snapshot = take_snapshot(tmp_path)
    worker = Worker(worker_command(Path(sys.executable), CELLS), worker_environment(snapshot, 1), snapshot)
    worker.greet()
    cell = "loud/x2/1x3x8x8"
    worker.ask({"ask": "prepare", "cell": cell, "method": f"{noisy}:loud"}, 60)
    assert worker.ask(BLOCK | {"cell": cell}, 60)["seconds"] > 0
    assert worker.ask({"ask": "memory", "cell": cell}, 60)["bytes"] >= 3 * 16 * 16 * 4
    with pytest.raises(FailedError, match="KeyError"):
        worker.ask(BLOCK, 60)
    worker.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel kills orphans on Linux")
def test_no_worker_outlives_its_parent(tmp_path):
    parent = tmp_path / "parent.py"
    parent.write_text(
        "import sys, time\n"
        "from pathlib import Path\n"
        "from upbench.bench.workers.launch import take_snapshot, worker_command, worker_environment\n"
        "from upbench.bench.workers.pipes import Worker\n"
        "snapshot = take_snapshot(Path(sys.argv[1]))\n"
        f"worker = Worker(worker_command(Path(sys.executable), {CELLS!r}), worker_environment(snapshot, 1), snapshot)\n"
        "worker.greet()\n"
        "print(worker.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    process = subprocess.Popen([sys.executable, parent, tmp_path], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    assert alive(pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert wait_for(lambda: not alive(pid))


def real_worker(tmp_path: Path) -> Worker:
    snapshot = take_snapshot(tmp_path)
    return Worker(worker_command(Path(sys.executable), CELLS), worker_environment(snapshot, 1), snapshot)


@pytest.mark.skipif(sys.platform != "linux", reason="workers fork on Linux only")
def test_a_renewed_worker_is_another_process_that_knows_no_cell(tmp_path):
    worker = real_worker(tmp_path)
    worker.greet()
    first = worker.pid
    question = {"ask": "prepare", "cell": BLOCK["cell"], "method": "bicubic"}
    worker.ask(question, 60)
    assert worker.ask(BLOCK, 60)["seconds"] > 0
    worker.renew()
    assert worker.pid != first
    assert not alive(first)
    with pytest.raises(FailedError, match="KeyError"):
        worker.ask(BLOCK, 60)
    worker.ask(question, 60)
    assert worker.ask(BLOCK, 60)["seconds"] > 0
    second = worker.pid
    worker.kill()
    assert wait_for(lambda: not alive(second))


@pytest.mark.skipif(sys.platform != "linux", reason="workers fork on Linux only")
def test_a_child_killed_by_the_system_is_named_by_its_signal(tmp_path):
    worker = real_worker(tmp_path)
    worker.greet()
    worker.renew()
    os.kill(worker.pid, signal.SIGSEGV)
    with pytest.raises(WorkerError, match=f"crashed: exit status -{signal.SIGSEGV.value}"):
        worker.ask(BLOCK, 60)


def test_a_worker_keeps_the_bytecode_of_what_it_imports_where_we_were_told_not_to(monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    for environment in (worker_environment(tmp_path, 1), own_environment(1, tmp_path)):
        said = subprocess.run(
            [sys.executable, "-c", "import sys; print(sys.dont_write_bytecode)"],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert said.stdout.strip() == "False"
