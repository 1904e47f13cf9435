"""Our methods in a captured graph: whole, of any height and width, with the pixels of the eager call."""

import pytest
import torch
from torch import Tensor, nn

from upbench.bench.adapters import discover
from upbench.bench.inputs import random_images
from upbench.bench.upsampler import build

CPU = torch.device("cpu")
FAMILIES = {
    "back_projection",
    "grid_sample",
    "kernels",
    "matmul",
    "polyphase",
    "spectral",
    "splines",
    "subpixel",
    "transposed",
    "wiener",
}
NAMES = [name for name, adapter in discover().items() if adapter.family in FAMILIES]
SHAPES = [(1, 3, 21, 18), (1, 3, 18, 21), (1, 3, 37, 130), (1, 3, 200, 2), (1, 3, 2, 3), (1, 3, 1, 9)]
TOLERANCE = 2e-6  # other sums of the same terms, in float32

ONE_OF_A_FAMILY = list({adapter.family: name for name, adapter in discover().items() if name in NAMES}.values())
each = pytest.mark.parametrize("name", NAMES)


class Module(nn.Module):
    """What `torch.export` takes."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.upsample = build(discover()[name], 2, CPU, torch.float32).upsample

    def forward(self, low: Tensor) -> Tensor:
        high: Tensor = self.upsample(low)
        return high


def same(captured: nn.Module, eager: nn.Module, shape: tuple[int, int, int, int]) -> None:
    low = random_images(shape)
    with torch.inference_mode():
        torch.testing.assert_close(captured(low), eager(low), rtol=0, atol=TOLERANCE)


def test_all_of_them_are_found() -> None:
    assert len(NAMES) == 27


@each
def test_one_export_serves_every_height_and_width(name: str) -> None:
    """What a call before it left behind must not be frozen into the graph."""
    module, eager = (Module(name).eval().requires_grad_(False) for _ in range(2))
    module(random_images(SHAPES[0]))
    free = {2: torch.export.Dim.AUTO, 3: torch.export.Dim.AUTO}
    exported = torch.export.export(module, (random_images(SHAPES[0]),), dynamic_shapes=({0: None, 1: None} | free,))
    for shape in SHAPES:
        same(exported.module(), eager, shape)


@pytest.mark.parametrize("name", ONE_OF_A_FAMILY)
def test_is_captured_as_one_graph(name: str) -> None:
    torch._dynamo.reset()
    module = Module(name)
    captured = torch.compile(module, fullgraph=True, backend="eager")
    for shape in SHAPES[1:3]:
        same(captured, module, shape)


@each
@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:FutureWarning")  # torch's own forward mode
@pytest.mark.filterwarnings("ignore:There is a performance drop:UserWarning")  # addcmul_ has no batching rule
@pytest.mark.parametrize("shape", [(1, 2, 5, 4), (1, 1, 3, 130)])
def test_has_forward_mode_and_vmap(name: str, shape: tuple[int, int, int, int]) -> None:
    shape = (1, 3, *shape[2:]) if name == "transposed-random" else shape
    upsample = build(discover()[name], 2, CPU, torch.float64).upsample
    low, direction = (random_images(shape, dtype=torch.float64, seed=seed) for seed in (1, 2))
    rise = upsample(low + direction) - upsample(low)  # all of them are linear, or linear and a constant
    _, tangent = torch.func.jvp(upsample, (low,), (direction,))
    torch.testing.assert_close(tangent, rise, rtol=0, atol=1e-9)
    together = torch.func.vmap(upsample)(torch.stack((low, direction)))
    torch.testing.assert_close(together[1], upsample(direction), rtol=0, atol=1e-9)
