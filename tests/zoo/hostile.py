"""Hostile adapters: what each does at import, in its factory and in its call, and the reason that its row must give."""

from dataclasses import dataclass

HEAD = """
import ctypes, gc, os, random, signal, subprocess, sys, threading, time, warnings
import numpy as np
import torch
import torch.nn.functional as F

FOLDER = os.path.dirname(__file__)


def note(pid):
    with open(os.path.join(FOLDER, "pids"), "a") as file:
        file.write(f"{pid}\\n")


def plain(low, scale):
    return F.interpolate(low, scale_factor=scale)
"""


@dataclass(frozen=True)
class Hostile:
    """One adapter: `top` stands in its module, `factory` in its factory, `call` in its call before it is honest."""

    name: str
    reason: str
    call: str = ""
    factory: str = ""
    top: str = ""
    short: bool = False  # in the normal suite, too

    def source(self) -> str:
        """The module."""
        lines = [HEAD, self.top, "calls = []", "", f"def {self.name}(scale, device, dtype):"]
        lines += [f"    {line}" for line in self.factory.splitlines()]
        lines += ["    def up(low):", "        calls.append(1)"]
        lines += [f"        {line}" for line in self.call.splitlines()]
        return "\n".join([*lines, "        return plain(low, scale)", "    return up", ""])


DIED, RAISED = r"^the process died \({}\)$", r"^it raised {}"
MEMORY = r"^(it|its factory) raised (RuntimeError|MemoryError|_ArrayMemoryError)|^the process died \(signal 9\)$"
NO_ANSWER = r"^it gave no answer in \d"
OTHER = "it returned another image for the same input"

ZOO = (
    # ends the process
    Hostile("segfaults", DIED.format("signal 11"), "ctypes.string_at(0)", short=True),
    Hostile("aborts", DIED.format("signal 6"), "os.abort()"),
    Hostile("leaves", DIED.format("exit code 0"), "os._exit(0)", short=True),
    Hostile("exits", r"^it raised SystemExit: 0$", "sys.exit(0)", short=True),
    Hostile("exits_at_import", r"SystemExit: 0$", top="sys.exit(0)"),
    Hostile("leaves_at_import", DIED.format("exit code 3"), top="os._exit(3)"),
    Hostile("leaves_in_factory", DIED.format("exit code 4"), factory="os._exit(4)"),
    Hostile("terminates", DIED.format("signal 15"), "os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)", short=True),
    Hostile("kills_itself", DIED.format("signal 9"), "os.kill(os.getpid(), signal.SIGKILL); time.sleep(9)"),
    Hostile("interrupts", r"^it raised KeyboardInterrupt$", "raise KeyboardInterrupt", short=True),
    Hostile("ends_its_parent", DIED.format("signal 15"), "os.kill(os.getppid(), signal.SIGTERM); time.sleep(9)"),
    Hostile("ends_its_group", DIED.format("signal 9"), "os.killpg(os.getpgid(0), signal.SIGKILL); time.sleep(9)"),
    Hostile("overflows", RAISED.format("RecursionError"), "f = lambda g: g(g)\nf(f)"),
    # does not end
    Hostile("loops", NO_ANSWER, "while True: pass", short=True),
    Hostile("deadlocks", NO_ANSWER, "lock = threading.Lock(); lock.acquire(); lock.acquire()"),
    Hostile("ignores_signals", NO_ANSWER, "for n in (2, 15): signal.signal(n, signal.SIG_IGN)\nwhile True: pass"),
    Hostile("stops", NO_ANSWER, "os.kill(os.getpid(), signal.SIGSTOP)"),
    Hostile("loops_at_import", NO_ANSWER, top="while True: pass"),
    Hostile("waits_for_input", RAISED.format("(EOFError|OSError)"), "input()"),
    # takes too much
    Hostile("hoards", MEMORY, "torch.empty(50 << 30, dtype=torch.uint8).fill_(1)", short=True),
    Hostile("hoards_slowly", MEMORY, "kept = []\nwhile True: kept.append(np.ones(1 << 25))"),
    # changes what all code shares
    Hostile("moves", "it changed the current folder", "os.chdir('/')", short=True),
    Hostile("sets_dtype", "it changed the default dtype", factory="torch.set_default_dtype(torch.float64)", short=True),
    Hostile("sets_threads", "it changed the number of threads", "torch.set_num_threads(7)"),
    Hostile("seeds", "it changed torch's random seed", factory="torch.manual_seed(1)"),
    Hostile("seeds_in_call", "it changed .*random state", "np.random.seed(1)"),
    Hostile("sets_grad", "it changed the grad mode", factory="torch.set_grad_enabled(False)"),
    Hostile("deterministic", "it changed deterministic", factory="torch.use_deterministic_algorithms(True)"),
    Hostile("cudnn", "it changed cudnn.benchmark", factory="torch.backends.cudnn.benchmark = True"),
    Hostile("environment", "it changed the environment", "os.environ['X'] = '1'"),
    Hostile("handlers", "it changed signal handlers", "signal.signal(signal.SIGUSR2, signal.SIG_IGN)"),
    Hostile("filters", "it changed the warnings filters", "warnings.simplefilter('ignore')"),
    Hostile("clocks", "it changed the clocks", factory="time.perf_counter = lambda: 0.0", short=True),
    Hostile("collector", "it changed garbage collection", factory="gc.disable()"),
    # leaves something running
    Hostile("thread", "it left a thread running", "threading.Thread(target=time.sleep, args=(600,)).start()"),
    Hostile("process", "it left a process behind", "note(subprocess.Popen(['sleep', '600']).pid)", short=True),
    Hostile(
        "daemon",
        "it left a process behind",
        "if not os.fork():\n    os.setsid()\n    if not os.fork():\n        note(os.getpid())\n"
        "        time.sleep(600)\n    os._exit(0)\ntime.sleep(0.5)",
    ),
    Hostile("forks", "it left a process behind", "if not os.fork():\n    note(os.getpid())\n    time.sleep(600)"),
    # gives what is none
    Hostile("raises", r"^it raised ValueError: out of luck$", "raise ValueError('out of luck')"),
    Hostile("not_a_number", "NaN or infinite", "return plain(low, scale) * float('nan')"),
    Hostile(
        "not_a_number_later",
        "NaN or infinite",
        "if len(calls) > 6: return plain(low, scale) * float('nan')",
        short=True,
    ),
    Hostile("shape", "it returned shape", "return low"),
    Hostile("shape_later", "it returned shape", "if len(calls) > 6: return low.expand(10**6, *low.shape)"),
    Hostile("mutates", "it changed its input", "low.zero_()"),
    Hostile(
        "buffer",
        "memory of an earlier output",
        "return out.copy_(plain(low, scale))",
        "out = torch.empty(2, 3, 32, 32)",
    ),
    Hostile("subclass", "a subclass of Tensor", "return torch.nn.Parameter(plain(low, scale), False)"),
    Hostile(
        "gradients",
        "requires gradients",
        "with torch.inference_mode(False): return plain(low.clone(), scale) * w",
        "w = torch.ones((), requires_grad=True)",
    ),
    Hostile(
        "remembers_address",
        "a remembered result",
        "return seen.setdefault(low.data_ptr(), plain(low, scale).clone())",
        "seen = {}",
    ),
    Hostile("random", OTHER, "return plain(low, scale) * (1 + hash(os.urandom(8)) % 9)"),
)
