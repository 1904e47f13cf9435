"""The worker's main loop: JSON lines in, JSON lines out. `python -m upbench.bench.workers.serve HANDLER PARENT`.

HANDLER names a class (`package.module:Class`) whose methods are what can be asked: a request
`{"ask": "block", "cell": ...}` calls `block(cell=...)`, which returns a dictionary. PARENT is the parent's process
number. The first line is the worker's hello, with the protocol's version; then each request gets one answer.
`{"ok": false, "kind": "skipped" | "failed" | "usage", "reason": ...}` gives up a cell, not the worker. The loop itself
needs torch, numpy and upbench, nothing else. Started by `upbench.bench.workers.pipes`; ends with its parent.

On Linux two processes make a worker: a *mother*, which imports torch and the handler and never calls them, and her
child, which does the work (`warden`). Asked to renew, the child ends and the mother forks the next one, which costs a
tenth of a second where a new interpreter costs seconds. It says hello anew. When the child dies, the mother says so
(`{"died": exit status}`, negative for a signal), and forks the next one when the parent asks to renew.
"""

import json
import os
import platform
import sys
from importlib import import_module
from typing import Any, TextIO

from upbench.bench.workers import ahead, warden

PROTOCOL = 1

Message = dict[str, Any]


def main(handler: str, parent: int) -> None:
    """Serve the parent until it closes our input or dies."""
    requests, answers = _claim_streams()
    module, _, name = handler.partition(":")
    if sys.platform == "linux":
        warden.guard(parent)
        import_module(module)  # and so torch
        ahead.bring(os.environ.get(ahead.VARIABLE, ""))
        warden.mother_children(requests, answers)
    _write(answers, hello())
    serving, own = getattr(import_module(module), name)(), os.getpid()
    for line in requests:
        reply = answer(serving, json.loads(line))
        if os.getpid() != own:  # a handler forked, and this is the copy
            os._exit(0)
        _write(answers, reply)


def _claim_streams() -> tuple[TextIO, TextIO]:
    """Keep standard input and output for the parent: others read nothing, and print to standard error."""
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, answers


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
        os._exit(warden.RENEW)
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
