"""What torch imports when it is first needed: seconds, which a process that forks others spends once for them all."""

from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module

from upbench.bench.cells import Cell

VARIABLE = "UPBENCH_AHEAD"  # of a worker's environment: modules, by blanks, that its mother imports
LAZY = {"train": "torch.fx.experimental.symbolic_shapes", "compile": "torch._inductor.compile_fx"}


def needed(cells: Iterable[Cell], *, but: str = "") -> str:
    """The modules, by blanks, that these cells will have imported; without those of one kind of cell."""
    kinds = {kind for cell in cells for kind in (cell.step, cell.mode)} - {but}
    return " ".join(module for kind, module in LAZY.items() if kind in kinds)


def bring(modules: str) -> None:
    """Import them; another torch that has no such module will do without."""
    for module in modules.split():
        with suppress(ImportError):
            import_module(module)
