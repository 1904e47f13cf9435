"""The edges' calls inside a worker: inputs that are the same everywhere, and a digest of each image."""

import functools
import hashlib
import inspect
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from upbench.bench.adapters import Adapter, find, sentence
from upbench.bench.gate.edges.compare import SIZE_FORM, Case, cases
from upbench.bench.upsampler import Upsampler, build

Array = npt.NDArray[Any]


def answers(adapter: Adapter, dtype: str, device: str) -> dict[str, str]:
    """For each case the digest of its image, or `!` and why there is none."""
    forms = "form" in inspect.signature(adapter.factory()).parameters
    return {case.name: _digest(adapter, case, device) for case in cases(dtype, forms=forms)}


def _digest(adapter: Adapter, case: Case, device: str) -> str:
    try:
        image = picture(adapter, case, device)
    except Exception as error:  # whatever a version says to an input that it does not take
        return f"!{type(error).__name__}: {sentence(error)}"
    found = hashlib.blake2b(str(tuple(image.shape)).encode(), digest_size=16)
    found.update(np.ascontiguousarray(image).tobytes())
    return found.hexdigest()


def picture(adapter: Adapter, case: Case, device: str) -> Array:
    """The image of one case; bfloat16 as float32."""
    with torch.inference_mode():
        high = _upsampler(adapter, case.factor, case.dtype, device)(given(case, device)).cpu().contiguous()
    result: Array = (high.float() if high.dtype == torch.bfloat16 else high).numpy()
    return result


@functools.lru_cache(maxsize=32)
def _upsampler(adapter: Adapter, factor: str, dtype: str, device: str) -> Upsampler:
    if factor == SIZE_FORM:
        adapter = find(f"{adapter.name}@{SIZE_FORM}")
    scale: Any = 2 if factor in (SIZE_FORM, "2") else float(factor)
    return build(adapter, scale, torch.device(device), getattr(torch, dtype))


def given(case: Case, device: str) -> Tensor:
    """The input: `(N, C, H, W)` of the case's dtype and layout, 0..255 for uint8, else multiples of 1/255 on [0, 1]."""
    n, c, h, w = case.shape
    data = hashlib.shake_128(str(case.shape).encode()).digest(prod(case.shape))
    values = torch.from_numpy(np.frombuffer(data, dtype=np.uint8).copy()).reshape(n, c, h, w)
    dtype = getattr(torch, case.dtype)
    image = (values if dtype == torch.uint8 else (values.double() / 255).to(dtype)).to(device)
    if case.layout == "channels_last":
        return image.contiguous(memory_format=torch.channels_last)
    if case.layout == "strided":
        wide = image.new_zeros((n, c, h, 2 * w))
        wide[..., ::2] = image
        return wide[..., ::2]
    return image
