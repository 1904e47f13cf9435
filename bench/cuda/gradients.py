"""Does a backward pass give the same gradients each time?

A kernel that adds up with atomic operations adds in another order each time, and floating-point sums depend on
their order: the CUDA backward passes of several upsampling modes do so.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

PASSES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeatability:
    """`vary`: some of several passes on the same input differed in a bit, or more.

    `refused`: torch declines the pass under `torch.use_deterministic_algorithms(True)`.
    """

    vary: bool
    refused: bool


def repeatability(gradients: Callable[[], tuple[Tensor, ...]]) -> Repeatability:
    """Compare the gradients of several passes, and ask torch for a deterministic one."""
    first = gradients()
    vary = any(_differ(first, gradients()) for _ in range(PASSES - 1))
    return Repeatability(vary=vary, refused=_refused(gradients))


def _differ(a: tuple[Tensor, ...], b: tuple[Tensor, ...]) -> bool:
    return not all(torch.equal(one, other) for one, other in zip(a, b, strict=True))


def _refused(gradients: Callable[[], object]) -> bool:
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        gradients()
    except torch.OutOfMemoryError:
        raise
    except RuntimeError:  # it has no deterministic kernel, or cuBLAS would need another workspace for one
        return True
    finally:
        torch.use_deterministic_algorithms(before)
    return False
