"""What a duet compares: a side is an environment, its variables and a method; a question is a cell asked of both."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from upbench.bench.errors import UsageError
from upbench.bench.workers.launch import HELD, HELD_STILL, PLAIN, worker_environment

# How many turns an OpenMP thread waits for more work before it sleeps: some 0.5 ms. The 300,000 that are GNU's default
# would have the threads of one side spin on through the other's next blocks (the manual of libgomp, GOMP_SPINCOUNT).
SPINS = "10000"
FLAGS_VARIABLE = "UPBENCH_FLAGS"  # how a side's flags reach its worker: NAME=VALUE, separated by spaces
FLAGS = ("deterministic", "cudnn.benchmark", "flush-denormal", "matmul-precision", "mkldnn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two that are compared.

    `variables` are set in its processes (an empty value takes one away) beside the regime of its `allocator`; `flags`
    are settings of torch; modules are looked for in `path` first. `planted` maps a method to the factor of extra work
    that is done in it.
    """

    label: str
    python: Path
    planted: Mapping[str, float] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, str] = field(default_factory=dict)
    allocator: str = HELD
    path: Sequence[Path] = ()

    def environment(self, snapshot: Path, threads: int) -> dict[str, str]:
        """The variables of its worker's process."""
        found = worker_environment(snapshot, threads)
        if self.allocator == PLAIN:
            found = {name: value for name, value in found.items() if name not in HELD_STILL}
        found.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")  # or each process of a pair starts a pool of others
        found["PYTHONPATH"] = os.pathsep.join([found["PYTHONPATH"], *map(str, self.path)])
        flags = " ".join(f"{name}={value}" for name, value in self.flags.items())
        found |= {**self.variables, FLAGS_VARIABLE: flags}
        if threads > 1 and "OMP_WAIT_POLICY" not in found:
            found.setdefault("GOMP_SPINCOUNT", SPINS)
        return {name: value for name, value in found.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A cell and the adapter that both sides load for it (an installed name, or FILE.py:FACTORY).

    Where the candidate's `other` is given, it loads that one instead. `asked` is how a user named the method, if that
    is another way: a file of a commit lies elsewhere.
    """

    name: str
    method: str
    other: str = ""
    asked: str = ""

    def method_of(self, index: int) -> str:
        """What the baseline (0) or the candidate (1) loads."""
        return self.other if index and self.other else self.method

    @property
    def two_methods(self) -> bool:
        """Whether the sides are asked about methods of two names: what one declines is then no fault of the other."""
        return self.other.rpartition(":")[2] not in ("", self.method.rpartition(":")[2])

    def planted(self, side: Side) -> float:
        """The factor of extra work that a side does in this cell."""
        return side.planted.get(self.name.partition("/")[0], 1.0)


def against(baseline: str, candidate: str) -> str:
    """The method axis of a cell that compares two methods, by their names."""
    return f"{baseline}->{candidate}"


def settings_of(words: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """`NAME=VALUE` words as variables and as torch's flags (`FLAGS`); raises `UsageError` for anything else."""
    variables, flags = {}, {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or not name or any(character.isspace() for character in word):
            raise UsageError(f"{word!r} is no setting; write NAME=VALUE, such as ATEN_CPU_CAPABILITY=avx2.")
        if name in FLAGS:
            flags[name] = value
        elif name == name.upper():
            variables[name] = value
        else:
            raise UsageError(f"There is no flag {name!r}; there are {', '.join(FLAGS)}, and variables in capitals.")
    return variables, flags
