"""Whether gradients repeat is measured, and what torch refuses is told apart from what fails."""

from typing import Any

import pytest
import torch
from torch import Tensor

from upbench.bench.cuda.gradients import Repeatability, repeatability


class Rounded(torch.autograd.Function):
    """The identity; its gradient is what `Rounded.backward_of` makes of it."""

    backward_of: Any = None

    @staticmethod
    def forward(context: Any, low: Tensor) -> Tensor:
        return low.clone()

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Any:
        return Rounded.backward_of(gradient)


def found(backward_of: Any) -> Repeatability:
    Rounded.backward_of = backward_of

    def gradients() -> tuple[Tensor, ...]:
        low = torch.ones(1, 3, 4, 4, requires_grad=True)
        return torch.autograd.grad(Rounded.apply(low), low, torch.ones_like(low))

    return repeatability(gradients)


def put(gradient: Tensor) -> Tensor:
    return gradient.clone().put_(torch.tensor([0]), torch.tensor([1.0]))  # torch refuses it where the mode asks


def test_equal_gradients_repeat() -> None:
    assert found(lambda gradient: 2 * gradient) == Repeatability(vary=False, refused=False)


def test_one_pass_in_five_that_differs_in_its_last_bit_varies() -> None:
    passes = iter([1.0, 1.0, 1.0, 1.0 + 2**-23, 1.0, 1.0])
    assert found(lambda gradient: next(passes) * gradient) == Repeatability(vary=True, refused=False)


def test_what_torch_refuses_is_marked_and_its_switch_put_back() -> None:
    assert found(put) == Repeatability(vary=False, refused=True)
    assert not torch.are_deterministic_algorithms_enabled()


def only_when_asked(error: RuntimeError) -> Any:
    def fail(gradient: Tensor) -> Tensor:
        if torch.are_deterministic_algorithms_enabled():
            raise error
        return gradient

    return fail


def test_what_cublas_refuses_is_marked() -> None:
    assert found(only_when_asked(RuntimeError("CUBLAS_WORKSPACE_CONFIG is not set"))).refused


def test_a_full_memory_is_not_taken_for_a_refusal() -> None:
    with pytest.raises(torch.OutOfMemoryError):
        found(only_when_asked(torch.OutOfMemoryError("full")))
    assert not torch.are_deterministic_algorithms_enabled()
