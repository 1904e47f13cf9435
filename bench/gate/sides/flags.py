"""Settings of torch that a side of a duet may have, put in force inside its worker."""

import os

import torch

from upbench.bench.errors import UsageError
from upbench.bench.gate.sides.side import FLAGS_VARIABLE

_SWITCHES = {"1": True, "true": True, "on": True, "0": False, "false": False, "off": False}


def apply() -> None:
    """Put the flags of this process's variable in force; raises `UsageError` for a value that is none."""
    for word in os.environ.get(FLAGS_VARIABLE, "").split():
        name, _, value = word.partition("=")
        if name == "matmul-precision":
            torch.set_float32_matmul_precision(value)
        else:
            _switch(name, value)


def _switch(name: str, value: str) -> None:
    if value.lower() not in _SWITCHES:
        raise UsageError(f"{name}={value}: it is a switch; write 1 or 0.")
    on = _SWITCHES[value.lower()]
    if name == "deterministic":
        torch.use_deterministic_algorithms(on)
    elif name == "flush-denormal":
        torch.set_flush_denormal(on)
    elif name == "cudnn.benchmark":
        torch.backends.cudnn.benchmark = on
    elif name == "mkldnn":
        torch.backends.mkldnn.set_flags(on)  # type: ignore[no-untyped-call]
