"""As `served`, with the compiler imported in the mother of all processes, so that each is spared the seconds of it."""

from contextlib import suppress
from importlib import import_module

from upbench.bench.deploy.served import Roads

with suppress(ImportError):  # its roads will say so
    import_module("torch._inductor.compile_fx")

__all__ = ["Roads"]
