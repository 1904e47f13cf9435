"""The two processes of a worker on Linux: a mother who only forks, waits and clears away, and the child who works.

The mother imports and never calls what the child will use, so that a fresh child costs a tenth of a second. She is
the *subreaper* of all that the child starts: what it leaves behind becomes hers, daemons among them, and she kills it
when the child ends, when she is asked to end (SIGTERM), and when the parent dies, however it dies. The child dies with
her. What only a hostile process could do, to kill her first, is left to the process group, which the parent ends.

On macOS and Windows there is no mother: the worker ends when its input ends, a parent that is killed leaves a worker
that hangs, and what it started is ended with its process group on macOS, not at all on Windows.
"""

import contextlib
import ctypes
import json
import os
import shutil
import signal
import sys
from typing import Any, TextIO

from upbench.bench.processes import children

PR_SET_PDEATHSIG = 1  # <sys/prctl.h>
PR_SET_CHILD_SUBREAPER = 36
FOLDER = "UPBENCH_WORKER_FOLDER"  # the worker's own folder: removed by the mother where the parent no longer can

RENEW = 75  # the exit status of a child that makes room for the next one


def guard(parent: int) -> None:
    """Be a mother: end, and all below with us, when the parent dies."""

    def orphaned(*_: Any) -> None:
        if os.getppid() != parent:  # the signal comes also when only the thread that started us ends
            sweep()
            shutil.rmtree(os.environ.get(FOLDER, ""), ignore_errors=True)
            os._exit(1)

    signal.signal(signal.SIGUSR1, orphaned)
    _prctl(PR_SET_PDEATHSIG, signal.SIGUSR1)
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    orphaned()  # it may have died before we asked


def mother_children(requests: TextIO, answers: TextIO) -> None:
    """Return in a child; the mother waits for it and forks the next when it asks for that.

    When it ends in any other way she tells how, as `{"died": exit status}`, and waits for the parent to ask.
    """
    mother = os.getpid()
    signal.signal(signal.SIGTERM, _ended)
    while pid := os.fork():
        ended = _wait_for(pid)
        sweep()
        if ended != RENEW:
            answers.write(json.dumps({"died": ended}) + "\n")
            answers.flush()
            _wait_for_renewal(requests)
    follow()
    if os.getppid() != mother:
        os._exit(1)


def follow() -> None:
    """Be a child, just forked: die with the mother, and take what those below leave behind."""
    signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def _wait_for_renewal(requests: TextIO) -> None:
    """A question meant for the child that died is not answered; the end of the input is ours."""
    for line in requests:
        if json.loads(line)["ask"] == "renew":
            return
    os._exit(0)


def sweep() -> None:
    """Kill and reap every process below this one."""
    while left := children():
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in left:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _wait_for(pid: int) -> int:
    """Reap whatever ends until the child does; its exit status, negative for a signal."""
    while True:
        ended, status = os.waitpid(-1, 0)
        if ended == pid:
            return os.waitstatus_to_exitcode(status)


def _ended(*_: Any) -> None:
    sweep()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value)
