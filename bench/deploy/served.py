"""What a worker of `upbench deploy` can be asked: one method down one road. One process serves one group of roads."""

import logging
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch

from upbench.bench.adapters import lazily
from upbench.bench.deploy import eagerly, graphs, onnx_file, shapes
from upbench.bench.deploy.asked import Asked, processor_seconds
from upbench.bench.errors import SkippedError
from upbench.bench.inputs import random_images
from upbench.bench.workers import limits

LONGEST_LOG = 300
SEED = "seed"  # the folder with what the compiler makes once for a machine
# What roads import in any case: in the mother of all processes, so that each is spared it. Absent ones are told by
# their roads; `compiling` has the compiler's.
for _name in ("torch.onnx._internal.exporter._core", "onnxruntime"):
    with suppress(ImportError):
        import_module(_name)

Message = dict[str, Any]

ROADS: dict[str, Callable[[Asked], Message]] = {
    "onnx-dynamic": partial(onnx_file.road, dynamic=True),
    "onnx": partial(onnx_file.road, dynamic=False),
    "openvino": partial(onnx_file.road, dynamic=True, runtime=onnx_file.in_openvino),
    "export-dynamic": partial(graphs.exported, strict=False, dynamic=True),
    "export": partial(graphs.exported, strict=False, dynamic=False),
    "export-strict-dynamic": partial(graphs.exported, strict=True, dynamic=True),
    "export-strict": partial(graphs.exported, strict=True, dynamic=False),
    "export-warm": partial(graphs.exported, strict=False, dynamic=True, warm=True),
    "compile": partial(graphs.compiled, dynamic=False),
    "compile-dynamic": partial(graphs.compiled, dynamic=True),
    "autocast-bfloat16": partial(eagerly.autocast, dtype=torch.bfloat16),
    "autocast-float16": partial(eagerly.autocast, dtype=torch.float16),
    "channels-last": eagerly.channels_last,
    "deterministic": eagerly.deterministic,
    "gradcheck": partial(eagerly.gradient, check=torch.autograd.gradcheck),
    "gradgradcheck": partial(eagerly.gradient, check=torch.autograd.gradgradcheck),
    "forward-mode": partial(
        eagerly.gradient, check=torch.autograd.gradcheck, check_forward_ad=True, check_backward_ad=False
    ),
    "vmap": eagerly.vmap,
    "shapes-onnx": shapes.in_onnx,
    "shapes-compile": shapes.compiled,
}


class Roads:
    """A method and the roads that it is sent down."""

    def begin(self, path: list[str], memory: float, folder: str) -> Message:
        """Look for modules where the parent does; keep to one thread, to `memory` GiB and to a cache of our own."""
        sys.path[:] = path
        cache = tempfile.mkdtemp(prefix="inductor-", dir=folder)
        if (Path(folder) / SEED).is_dir():
            shutil.copytree(Path(folder) / SEED, cache, dirs_exist_ok=True)
        os.environ |= {"TORCHINDUCTOR_CACHE_DIR": cache, "TORCHINDUCTOR_COMPILE_THREADS": "1"}
        torch.set_num_threads(1)
        limits.apply(int(memory * 2**30), "cpu")
        self.heard = Heard()
        return {}

    def seed(self, folder: str) -> Message:
        """Have the compiler try the processor and compile its headers, ten seconds that belong to no method.

        Every later process begins with a copy of these, and of no graph.
        """
        torch.compile(torch.neg)(torch.zeros(8))
        shutil.copytree(os.environ["TORCHINDUCTOR_CACHE_DIR"], Path(folder) / SEED)
        for graphs_of in ("fxgraph", "aotautograd"):
            shutil.rmtree(Path(folder) / SEED / graphs_of, ignore_errors=True)
        return {}

    def travel(self, method: str, scale: int, road: str) -> Message:
        """The columns of the row; what the road raises is a verdict, what an absent library raises is not."""
        start = processor_seconds()
        asked = _asked(method, scale)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                row = ROADS[road](asked)
            except SkippedError:
                raise
            except Exception as error:
                row = eagerly.refused(error)
            fingerprint = _fingerprint(asked)  # last, so that exports are cold; what the method declines is raised here
        row |= {"log": self.heard.last(), "fingerprint": fingerprint, "cell_seconds": processor_seconds() - start}
        return {"row": _plain(row)}

    def write(self, method: str, scale: int, path: str, dynamic: bool) -> Message:
        """Write a model file that was checked in the runtime."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            Path(path).write_bytes(onnx_file.checked(_asked(method, scale), dynamic=dynamic))
        return {}


@lru_cache(maxsize=1)
def _asked(method: str, scale: int) -> Asked:
    return Asked(lazily(method), scale)


def _fingerprint(asked: Asked) -> float:
    """The eager image in one number: methods of the same pixels have the same one, up to rounding."""
    high = asked.expected(random_images((1, 3, 24, 24)))
    weights = np.random.default_rng(0).standard_normal(high.shape) / high.size**0.5
    return float((high * weights).sum())


class Heard(logging.Handler):
    """Hears what exporters log instead of the terminal."""

    def __init__(self) -> None:
        """Take the place of every handler."""
        super().__init__(logging.WARNING)
        self.messages: list[str] = []
        logging.getLogger().handlers = [self]
        for name in ("torch", "torch._dynamo", "torch._inductor", "torch.onnx", "onnxscript", "onnx_ir"):
            logging.getLogger(name).handlers = []
            logging.getLogger(name).propagate = True

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the message."""
        self.messages.append(" ".join(record.getMessage().split()))

    def last(self) -> str:
        """What was heard since this was last asked, in short."""
        text = " / ".join(dict.fromkeys(self.messages))
        self.messages = []
        return text if len(text) <= LONGEST_LOG else text[: LONGEST_LOG - 4] + " ..."


def _plain(row: Message) -> Message:
    return {name: value.item() if hasattr(value, "item") else value for name, value in row.items()}
