"""A method as one module without any import of ours: its source, our licence, and a check of its pixels."""

import base64
import shutil
import zlib
from importlib.metadata import distribution, entry_points, version
from pathlib import Path
from string import Template

import torch
from torch import Tensor

from upbench.bench.adapters import GROUP, Adapter, find
from upbench.bench.errors import FailedError, SkippedError, UsageError
from upbench.bench.jobs.code_request import CodeRequest
from upbench.bench.jobs.sources import PACKAGE, Sources
from upbench.bench.store import write_text
from upbench.bench.upsampler import build
from upbench.methods import pretrained

SHAPE = (1, 3, 6, 7)

MODULE = Template('''"""$method, x$scale: $summary

Printed by `upbench code $method --scale $scale$out` (upbench $version, torch $torch). `upsample` takes `(N, C, H, W)`,
floats on [0, 1], and returns `(N, C, $scale*H, $scale*W)`. Run this file: it checks that its pixels are those that
upbench had when it printed it.
"""

$licence

import base64
import functools
import zlib

$source


@functools.cache
def _made(device, dtype):
    return $factory($scale, device, dtype)


def upsample(low):
    """Upsample `(N, C, H, W)` by $scale."""
    made = _made(low.device, low.dtype)
    if hasattr(made, "prepare"):
        return made.restore(made(made.prepare(low)))
    return made(low)


# 8-bit pixels of the picture in `check`, as upbench had them
EXPECTED = (
$expected
)


def check():
    """Raise `AssertionError` unless the pixels are within one 8-bit level of those that upbench had."""
    import torch

    count = $count
    low = ((torch.arange(count) * 37) % 256).reshape($shape).float() / 255
    got = (upsample(low.to("$device")).cpu().clamp(0, 1) * 255).round().to(torch.int16).flatten()
    wanted = torch.tensor(list(zlib.decompress(base64.b64decode(EXPECTED))), dtype=torch.int16)
    assert got.shape == wanted.shape, "the size changed"
    largest = int((got - wanted).abs().max())
    assert largest <= 1, f"pixels changed by up to {largest} of 255"


if __name__ == "__main__":
    check()
    print("same pixels")
''')


def write(request: CodeRequest) -> list[Path]:
    """Write the module to `request.out`, and weights that it reads beside it; returns the files."""
    assert request.out is not None
    text, weights = _made(request)
    request.out.parent.mkdir(parents=True, exist_ok=True)
    write_text(request.out, text)
    if weights is None:
        return [request.out]
    return [request.out, Path(shutil.copy(weights, request.out.parent))]


def module(request: CodeRequest) -> str:
    """The module's text; raises `UsageError` for a method that has no source to print or cannot run here."""
    text, weights = _made(request)
    if weights is not None:
        raise UsageError(f"{request.method} comes with weights: give --out FILE.py; they are written beside it.")
    return text


def _made(request: CodeRequest) -> tuple[str, Path | None]:
    """The module's text, and the file of weights that it reads beside itself, if any."""
    adapter = find(request.method)
    entry = next(each for each in entry_points(group=GROUP) if each.name == request.method)
    if not entry.value.startswith(f"{PACKAGE}."):
        raise UsageError(f"{request.method} is not upbench's own; its source is that of {entry.module}.")
    sources = Sources()
    try:
        sources.need(entry.module, entry.attr)
        pixels, device = _pixels(adapter, request.scale)
    except UsageError as error:
        raise UsageError(f"{request.method} cannot be printed: {error}") from error
    except (SkippedError, FailedError) as error:
        raise UsageError(f"{request.method} cannot run here at scale {request.scale}: {error}.") from error
    weights = pretrained.path(pretrained.FOLDER, request.method, request.scale) if sources.weighted else None
    return _text(request, adapter, entry.attr, sources, pixels, device), weights


def _pixels(adapter: Adapter, scale: int) -> tuple[Tensor, str]:
    """What the method makes of the check's picture, and the device that it was made on: a GPU if it asks for one."""
    try:
        return build(adapter, scale, torch.device("cpu"), torch.float32).attempt(picture()), "cpu"
    except SkippedError:
        if not torch.cuda.is_available():
            raise
    return build(adapter, scale, torch.device("cuda"), torch.float32).attempt(picture().cuda()).cpu(), "cuda"


def _text(request: CodeRequest, adapter: Adapter, factory: str, sources: Sources, pixels: Tensor, device: str) -> str:
    return MODULE.substitute(
        method=request.method,
        scale=request.scale,
        out=" --out FILE.py" if request.out else "",
        summary=adapter.summary().replace("\\", "\\\\"),
        version=version("upbench"),
        torch=torch.__version__,
        licence="\n".join(f"# {line}".rstrip() for line in _licence().strip().splitlines()),
        source=sources.text(),
        factory=factory,
        device=device,
        expected=_packed(pixels),
        count=SHAPE[0] * SHAPE[1] * SHAPE[2] * SHAPE[3],
        shape=SHAPE,
    )


def picture() -> Tensor:
    """The picture of the check: steep, without symmetry, made of whole numbers."""
    count = torch.Size(SHAPE).numel()
    return ((torch.arange(count) * 37) % 256).reshape(SHAPE).float() / 255


def _packed(pixels: Tensor) -> str:
    levels = (pixels.clamp(0, 1) * 255).round().to(torch.uint8).flatten().tolist()
    text = base64.b64encode(zlib.compress(bytes(levels), 9)).decode()
    return "\n".join(f'    "{text[start : start + 100]}"' for start in range(0, len(text), 100))


def _licence() -> str:
    return distribution("upbench").read_text("licenses/LICENSE") or "MIT licence."
