"""The worker's main loop: JSON lines in, JSON lines out. `python -m upbench.bench.workers.serve HANDLER PARENT`.

HANDLER names a class (`package.module:Class`) whose methods are what can be asked: a request
`{"ask": "block", "cell": ...}` calls `block(cell=...)`, which returns a dictionary. PARENT is the parent's process
number. The first line is the worker's hello, with the protocol's version; then each request gets one answer.
`{"ok": false, "kind": "skipped" | "failed" | "usage", "reason": ...}` gives up a cell, not the worker. The loop itself
needs torch, numpy and upbench, nothing else. Started by `upbench.bench.workers.pipes`; ends with its parent.

On Linux two processes make a worker: a *mother*, which imports torch and the handler and never calls them, and her
child, which does the work. Asked to renew, the child ends and the mother forks the next one, which costs a tenth of a
second where a new interpreter costs seconds. It says hello anew.
"""

import ctypes
import json
import os
import platform
import signal
import sys
from importlib import import_module
from typing import Any, TextIO

PROTOCOL = 1
PR_SET_PDEATHSIG = 1  # <sys/prctl.h>

RENEW = 75  # the exit status of a child that makes room for the next one

Message = dict[str, Any]


def main(handler: str, parent: int) -> None:
    """Serve the parent until it closes our input or dies."""
    answers = _claim_output()
    _die_with(parent)
    module, _, name = handler.partition(":")
    if sys.platform == "linux":
        import_module(module)  # and so torch
        mother = os.getpid()
        _mother_children()
        _die_with(mother)
    _write(answers, hello())
    serving = getattr(import_module(module), name)()
    for line in sys.stdin:
        _write(answers, answer(serving, json.loads(line)))


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


def answer(serving: Any, request: Message) -> Message:
    """One request's answer; whatever the handler raises becomes a reason."""
    from upbench.bench.adapters import sentence
    from upbench.bench.errors import FailedError, SkippedError, UsageError

    ask = request.pop("ask")
    if ask == "renew":
        os._exit(RENEW)
    try:
        values: Message = getattr(serving, ask)(**request)
    except SkippedError as error:
        return {"ok": False, "kind": "skipped", "reason": sentence(error)}
    except UsageError as error:
        return {"ok": False, "kind": "usage", "reason": sentence(error)}
    except FailedError as error:
        return {"ok": False, "kind": "failed", "reason": sentence(error)}
    except Exception as error:
        return {"ok": False, "kind": "failed", "reason": f"{type(error).__name__}: {sentence(error)}"}
    return {"ok": True} | values


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
