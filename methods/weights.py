"""Weights made once for each image size: the set-up that a timed call finds ready."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

import torch

from upbench.methods.limits import is_compiling

Size = TypeVar("Size", bound=Hashable)
Made = TypeVar("Made")


class PerSize(Generic[Size, Made]):
    """Calls `make(size)` the first time a size is asked for, and remembers what it returned."""

    def __init__(self, make: Callable[[Size], Made]) -> None:
        """`make` turns a size in pixels into the tensors a method needs for it; it never sees the image."""
        self._make = make
        self._made: dict[Size, Made] = {}

    def __getitem__(self, size: Size) -> Made:
        """What `make(size)` returned; in a graph that is captured, where a size may be a symbol, it is made anew."""
        if is_compiling():
            return self._make(size)
        if size not in self._made:
            self._made[size] = self._outside_inference(size)
        return self._made[size]

    def _outside_inference(self, size: Size) -> Made:
        # A tensor born in inference mode could not serve a later call that needs gradients.
        with torch.inference_mode(mode=False):
            return self._make(size)
