"""The layers, and the identities between them: in float64 within 1e-12."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from upbench.methods.layers import content, resized, transposed
from upbench.methods.layers.fold import as_k4, as_shuffle, fold
from upbench.methods.layers.networks import TASKS, build

Factory = Callable[[int, int], nn.Module]
ALL: list[Factory] = [
    resized.nearest_conv3,
    resized.bilinear_conv3,
    resized.bicubic_conv3,
    resized.polyphase_bicubic_conv3,
    resized.additive_conv3,
    transposed.transposed_k2,
    transposed.transposed_k3,
    transposed.transposed_k4,
    transposed.pixel_shuffle,
    transposed.pixel_shuffle_icnr,
    content.carafe_conv3,
    content.dysample_conv3,
]


def low(channels: int = 4, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(2, channels, 5, 7, dtype=dtype, generator=torch.Generator().manual_seed(1))


def assert_same(one: Tensor, other: Tensor, within: float = 1e-12) -> None:
    assert one.shape == other.shape
    assert (one - other).abs().max().item() <= within


@pytest.mark.parametrize("factory", ALL)
def test_a_layer_doubles_the_sides_keeps_the_channels_and_passes_gradients_on(factory: Factory) -> None:
    layer, image = factory(8, 2), low(8, torch.float32).requires_grad_()
    high = layer(image)
    high.square().sum().backward()
    assert high.shape == (2, 8, 10, 14)
    assert image.grad is not None and image.grad.abs().sum() > 0
    assert all(parameter.grad is not None for parameter in layer.parameters())


def test_nearest_and_conv3_is_a_transposed_convolution_border_included() -> None:
    convolution = nn.Conv2d(4, 3, 3, padding=1).double()
    assert_same(fold(convolution)(low()), convolution(F.interpolate(low(), scale_factor=2.0)))


def test_folding_a_layer_in_float32_gives_the_same_outputs_within_1e_5() -> None:
    layer = resized.nearest_conv3(16, 2)
    assert_same(fold(layer[1])(low(16, torch.float32)), layer(low(16, torch.float32)), 1e-5)  # type: ignore[index]


def test_folding_keeps_the_absence_of_a_bias() -> None:
    convolution = nn.Conv2d(4, 4, 3, padding=1, bias=False).double()
    assert fold(convolution).bias is None
    assert_same(fold(convolution)(low()), convolution(F.interpolate(low(), scale_factor=2.0)))


@pytest.mark.parametrize("other", [{"padding": 0}, {"padding": 1, "stride": 2}, {"padding": 1, "groups": 2}])
def test_only_a_plain_conv3_is_folded(other: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="can be folded"):
        fold(nn.Conv2d(4, 4, 3, **other))  # type: ignore[arg-type]


@pytest.mark.parametrize("factory", [transposed.transposed_k2, transposed.transposed_k3])
def test_kernels_2_and_3_lie_inside_kernel_4(factory: Factory) -> None:
    layer = factory(4, 2).double()
    assert_same(as_k4(layer)(low()), layer(low()))  # type: ignore[arg-type]


def test_kernel_4_lies_inside_the_pixel_shuffle() -> None:
    layer = transposed.transposed_k4(4, 2).double()
    assert_same(as_shuffle(layer)(low()), layer(low()))  # type: ignore[arg-type]


def test_additive_upsampling_behind_a_wide_convolution_is_bilinear_behind_a_narrow_one() -> None:
    wide, narrow = nn.Conv2d(4, 16, 3, padding=1).double(), nn.Conv2d(4, 4, 3, padding=1).double()
    with torch.no_grad():
        for part, whole in zip(narrow.parameters(), wide.parameters(), strict=True):
            part.copy_(whole.unflatten(0, (4, 4)).sum(1))
    bilinear = F.interpolate(narrow(low()), scale_factor=2.0, mode="bilinear")
    assert_same(resized.Additive(2)(wide(low())), bilinear)


def test_additive_upsampling_may_add_before_it_interpolates() -> None:
    image = low(8)
    after = F.interpolate(image, scale_factor=2.0, mode="bilinear").unflatten(1, (2, 4)).sum(2)
    assert_same(resized.Additive(2)(image), after)


def test_the_polyphase_road_has_bicubics_pixels() -> None:
    assert_same(resized.Polyphase(2)(low()), F.interpolate(low(), scale_factor=2.0, mode="bicubic"))


def test_dysample_without_offsets_is_bilinear() -> None:
    layer = content.DySample(4, 2).double()
    nn.init.zeros_(layer.offset.weight)
    bilinear = F.interpolate(low(), scale_factor=2.0, mode="bilinear")
    assert_same(layer(low()), bilinear)


def test_carafe_with_equal_kernels_is_a_mean_of_5x5() -> None:
    layer = content.Carafe(4, 2).double()
    nn.init.zeros_(layer.encode.weight)
    nn.init.zeros_(layer.encode.bias)  # type: ignore[arg-type]
    mean = F.avg_pool2d(low(), 5, stride=1, padding=2)
    assert_same(layer(low()), F.interpolate(mean, scale_factor=2.0))


def test_icnr_starts_without_a_checkerboard() -> None:
    high = transposed.pixel_shuffle_icnr(4, 2).double()(low())
    assert_same(high[..., ::2, ::2], high[..., 1::2, 1::2])


@pytest.mark.parametrize("factory", [transposed.transposed_k2, transposed.transposed_k3, transposed.transposed_k4])
def test_a_transposed_convolution_declines_other_scales(factory: Factory) -> None:
    with pytest.raises(NotImplementedError, match="x2"):
        factory(4, 3)


@pytest.mark.parametrize("task", list(TASKS))
def test_the_body_depends_on_the_seed_and_not_on_the_layer(task: str) -> None:
    one = build(task, transposed.transposed_k2, 8, 8, seed=3)
    other = build(task, content.carafe_conv3, 8, 8, seed=3)
    third = build(task, transposed.transposed_k2, 8, 8, seed=4)
    bodies = [
        torch.cat([value.flatten() for name, value in network.named_parameters() if not name.startswith("layers")])
        for network in (one, other, third)
    ]
    assert torch.equal(bodies[0], bodies[1]) and not torch.equal(bodies[0], bodies[2])


@pytest.mark.parametrize("task", list(TASKS))
def test_a_network_without_a_tail_gives_its_starting_point(task: str) -> None:
    network = build(task, resized.nearest_conv3, 8, 8, seed=0)
    with torch.no_grad():
        network.tail.weight.zero_()
    image = torch.rand(2, 3, 4, 4) if task == "super-resolution" else torch.rand(2, 3, 16, 16)
    assert torch.equal(network(image), network.skip(image))
