"""The side of the gate that lives in one torch environment: JSON lines in, JSON lines out.

Needs torch, numpy and upbench, nothing else. Its first line is its hello, with the protocol's version; then
each request gets one answer. `{"ok": false, "kind": "skipped" | "failed", "reason": ...}` gives up a cell,
not the worker. Started by `upbench.bench.workers.pipes`; ends with its parent.

On Linux two processes make a worker: a *mother*, which imports torch and never calls it, and her child, which
does the work. Asked to renew, the child ends and the mother forks the next one, which costs a tenth of a second
where a new interpreter costs seconds. It says hello anew.
"""

import ctypes
import hashlib
import json
import os
import platform
import signal
import sys
import time
import zlib
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

PROTOCOL = 1
PR_SET_PDEATHSIG = 1  # <sys/prctl.h>

RENEW = 75  # the exit status of a child that makes room for the next one

YARDSTICK = bytes(range(256)) * 4096

Message = dict[str, Any]


def main() -> None:
    """Serve the parent whose process number is the first argument, until it closes our input or dies."""
    answers = _claim_output()
    _die_with(int(sys.argv[1]))
    if sys.platform == "linux":
        import_module("upbench.bench.gate.task")  # and so torch
        mother = os.getpid()
        _mother_children()
        _die_with(mother)
    _write(answers, hello())
    bench = Bench()
    for line in sys.stdin:
        _write(answers, bench.answer(json.loads(line)))


def _mother_children() -> None:
    """Return in a child; the mother waits for it, forks the next if it asked for that, and else ends as it did."""
    while pid := os.fork():
        ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if ended < 0:
            signal.signal(-ended, signal.SIG_DFL)
            os.kill(os.getpid(), -ended)
        if ended != RENEW:
            os._exit(ended)


def _claim_output() -> TextIO:
    """Keep standard output for answers; what anything else prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def _die_with(parent: int) -> None:
    """Have Linux kill us when the parent dies; elsewhere the end of our input must do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before we asked
            sys.exit(1)


def _write(answers: TextIO, message: Message) -> None:
    answers.write(json.dumps(message) + "\n")
    answers.flush()


def hello() -> Message:
    """Who we are: protocol, process, interpreter, torch and numpy."""
    import numpy as np
    import torch

    return {
        "protocol": PROTOCOL,
        "pid": os.getpid(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


def yardstick() -> float:
    """Seconds of our process for a fixed piece of work that no torch version touches: checksums of 1 MiB."""
    start = time.process_time()
    for _ in range(8):
        zlib.crc32(YARDSTICK)
    return time.process_time() - start


class Bench:
    """The cells prepared so far, by name, and an answer for each request."""

    def __init__(self) -> None:
        """No cell is prepared yet."""
        from upbench.bench.gate import task

        self.kept = task.stretch_heap()
        self.make = task.Task.build
        self.adapters: dict[str, Any] = {}
        self.tasks: dict[str, Any] = {}

    def answer(self, request: Message) -> Message:
        """One request's answer; whatever it raises becomes a reason."""
        from upbench.bench.adapters import sentence
        from upbench.bench.errors import FailedError, SkippedError

        try:
            values: Message = getattr(self, f"_{request.pop('ask')}")(**request)
        except SkippedError as error:
            return {"ok": False, "kind": "skipped", "reason": sentence(error)}
        except FailedError as error:
            return {"ok": False, "kind": "failed", "reason": sentence(error)}
        except Exception as error:
            return {"ok": False, "kind": "failed", "reason": f"{type(error).__name__}: {sentence(error)}"}
        return {"ok": True} | values

    def _renew(self) -> Message:
        """Make room for the next child."""
        os._exit(RENEW)

    def _prepare(self, cell: str, method: str, *, check: bool = True) -> Message:
        """Build (and check) a cell; `method` is an installed name or a spec such as `FILE.py:FACTORY`."""
        from upbench.bench.adapters import find
        from upbench.bench.cells import Cell

        if method not in self.adapters:
            self.adapters[method] = find(method)
        self.tasks[cell] = self.make(Cell.parse(cell), self.adapters[method], check=check)
        return {}

    def _block(self, cell: str, calls: int, seed: int, planted: float = 1.0) -> Message:
        measured: Message = self.tasks[cell].block(calls, seed, planted)
        return measured

    def _yardstick(self) -> Message:
        return {"seconds": yardstick()}

    def _output(self, cell: str, low: str, high: str) -> Message:
        """Write the image of the array in file `low` to file `high`; the digest is of its bytes."""
        import numpy as np

        image = self.tasks[cell].output(np.load(low))
        np.save(Path(high), image)
        return {"digest": hashlib.sha256(image.tobytes()).hexdigest(), "shape": list(image.shape)}

    def _memory(self, cell: str) -> Message:
        return {"bytes": self.tasks[cell].peak_bytes()}

    def _host(self) -> Message:
        from upbench.bench import host

        return {"host": host.fingerprint()}

    def _release(self, cell: str) -> Message:
        self.tasks.pop(cell, None)
        return {}


if __name__ == "__main__":
    main()
