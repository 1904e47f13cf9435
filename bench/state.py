"""What all code in a process shares, and an adapter leaves as it found it.

`with watched(...)` puts back what changed inside and raises `FailedError` that names it. What cannot be put back
(torch's interop threads, signal handlers away from the main thread) is named all the same.
"""

import gc
import os
import random
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from upbench.bench.errors import FailedError
from upbench.bench.processes import children

JOIN_SECONDS = 0.2  # for a thread that is about to end
CLOCKS = ("perf_counter", "perf_counter_ns", "process_time", "monotonic", "time")


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of state: what it is called, how it is read, and how it is put back."""

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], Any]


def _attribute(name: str, owner: Any, attribute: str) -> Item:
    return Item(name, partial(getattr, owner, attribute, None), partial(setattr, owner, attribute))


def _set_default_device(value: torch.device) -> None:
    torch.set_default_device(None if value.type == "cpu" else value)  # None: without the mode that looks at each call


def _deterministic() -> tuple[bool, bool]:
    return torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()


def _set_deterministic(value: tuple[bool, bool]) -> None:
    torch.use_deterministic_algorithms(value[0], warn_only=value[1])


def _flushes_denormals() -> bool:
    return torch.full((1,), 1e-310, dtype=torch.float64, device="cpu").mul(1.0).item() == 0.0


def _folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - it may be gone
    except OSError:
        return ""


def _set_environment(value: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(value)


def _handlers() -> dict[int, Any]:
    return {number: signal.getsignal(number) for number in signal.valid_signals()}


def _set_handlers(value: dict[int, Any]) -> None:
    for number, handler in value.items():
        if handler is not None and signal.getsignal(number) is not handler:
            signal.signal(number, handler)


def _clocks() -> list[Any]:
    return [getattr(time, name) for name in CLOCKS]


def _set_clocks(value: list[Any]) -> None:
    for name, clock in zip(CLOCKS, value, strict=True):
        setattr(time, name, clock)


def _set_warnings(value: list[Any]) -> None:
    with warnings.catch_warnings():  # leaving it makes Python look at the filters anew
        pass
    warnings.filters[:] = value  # type: ignore[index]


def _torch_random() -> bytes:
    return torch.get_rng_state().numpy().tobytes()


def _set_torch_random(value: bytes) -> None:
    torch.set_rng_state(torch.frombuffer(bytearray(value), dtype=torch.uint8))


def _numpy_random() -> tuple[Any, ...]:
    found: Any = np.random.get_state()
    name, keys, *rest = found
    return name, keys.tobytes(), *rest


def _set_numpy_random(value: tuple[Any, ...]) -> None:
    name, keys, *rest = value
    np.random.set_state((name, np.frombuffer(keys, dtype=np.uint32), *rest))


# Before torch 2.9 the newer name is an error, from then on the older one a warning.
PRECISION = "fp32_precision" if hasattr(torch.backends.cudnn, "conv") else "allow_tf32"

SETTINGS = (
    Item("the default dtype", torch.get_default_dtype, torch.set_default_dtype),
    Item("the number of threads", torch.get_num_threads, torch.set_num_threads),
    Item("the number of interop threads", torch.get_num_interop_threads, lambda _: None),
    Item("the grad mode", torch.is_grad_enabled, torch._C._set_grad_enabled),
    Item("deterministic algorithms", _deterministic, _set_deterministic),
    _attribute("the precision of matrix products (TF32)", torch.backends.cuda.matmul, PRECISION),
    _attribute("the precision of convolutions (TF32)", getattr(torch.backends.cudnn, "conv", None), PRECISION),
    _attribute("cudnn.benchmark", torch.backends.cudnn, "benchmark"),
    _attribute("cudnn.deterministic", torch.backends.cudnn, "deterministic"),
    Item("the flushing of denormal numbers", _flushes_denormals, torch.set_flush_denormal),
    Item("the current folder", _folder, os.chdir),
    Item("signal handlers", _handlers, _set_handlers),
    Item("the clocks of `time`", _clocks, _set_clocks),
    Item("garbage collection", gc.isenabled, lambda on: gc.enable() if on else gc.disable()),
) + (
    (Item("the default device", torch.get_default_device, _set_default_device),)
    if hasattr(torch, "get_default_device")  # since 2.3
    else ()
)
SEED = Item("torch's random seed", torch.initial_seed, lambda _: None)
# libraries change the first two when they are imported, and a factory may draw its weights
LOOSE = (
    Item("the environment", lambda: dict(os.environ), _set_environment),
    Item("the warnings filters", lambda: list(warnings.filters), _set_warnings),
    Item("torch's random state", _torch_random, _set_torch_random),
    Item("numpy's random state", _numpy_random, _set_numpy_random),
    Item("the state of `random`", random.getstate, random.setstate),
)


@contextmanager
def watched(named: Iterable[Item] = SETTINGS + LOOSE, quiet: Iterable[Item] = ()) -> Iterator[None]:
    """Put back what changes inside; raise `FailedError` for the changes of `named` and for what is left running.

    An exception from inside goes its way, once all is put back.
    """
    before = [(item, item.read(), said) for items, said in ((named, True), (quiet, False)) for item in items]
    threads, processes = set(threading.enumerate()), set(children())
    failed = True
    try:
        yield
        failed = False
    finally:
        reasons = [*_put_back(before), *_threads_left(threads), *_processes_left(processes)]
        if reasons and not failed:
            raise FailedError(f"it {' and '.join(reasons)}")


def _put_back(before: list[tuple[Item, Any, bool]]) -> list[str]:
    names = []
    for item, value, said in before:
        if item.read() != value:
            with suppress(Exception):  # it is named all the same
                item.write(value)
            names += [item.name] if said else []
    return [f"changed {', '.join(names)}"] if names else []


def _threads_left(before: set[threading.Thread]) -> list[str]:
    left = set(threading.enumerate()) - before
    for thread in left:
        thread.join(JOIN_SECONDS)
    return ["left a thread running"] if any(thread.is_alive() for thread in left) else []


def _processes_left(before: set[int]) -> list[str]:
    left = set(children()) - before
    for pid in left:
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return ["left a process behind"] if left else []
