"""The libraries keep the contract, land in their groups of pixels, and say why where they cannot run."""

import importlib
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from importlib.util import find_spec

import pytest
import torch
from torch import Tensor

from upbench.bench.adapters import discover
from upbench.bench.conformance import conforming
from upbench.bench.errors import SkippedError
from upbench.bench.inputs import random_images
from upbench.bench.upsampler import Upsampler, build

CPU = torch.device("cpu")
ADAPTERS = discover()
METHODS = sorted(
    entry.name
    for entry in entry_points(group="upbench.methods")
    if entry.module.startswith("upbench.methods.libraries.")
)
MODULES = {
    "kornia": "kornia.geometry.transform",
    "opencv": "cv2",
    "pillow": "PIL.Image",
    "resize_right": "resize_right",
    "scipy": "scipy.ndimage",
    "skimage": "skimage.transform",
    "torch_interpol": "interpol",
    "torchlanc": "torchlanc",
    "torchvision": "torchvision.transforms.v2.functional",
}
OPTIONAL = {"kornia", "opencv", "resize_right", "torch_interpol", "torchlanc"}
ON_ARRAYS = {"opencv", "pillow", "scipy", "skimage"}
# Of [0, 1], at 16 pixels. At 256 and x3 torch's own float32 pixel positions part it from OpenCV by 3e-5.
TOLERANCE = 1e-5
GROUPS = {
    "nearest": ("pillow-nearest", "pillow-box", "opencv-nearest", "opencv-area", "skimage-0"),
    "bilinear": (
        "pillow-bilinear",
        "opencv-linear",
        "skimage-1",
        "scipy-1",
        "torchvision-bilinear",
        "kornia-bilinear",
        "resize-right-linear",
        "torch-interpol-1",
    ),
    "bicubic": ("opencv-cubic", "kornia-bicubic"),
    "bicubic-antialias": ("pillow-bicubic", "torchvision-bicubic"),
    "torchvision-lanczos": ("pillow-lanczos",),
    "scipy-3": ("torch-interpol-3",),
    "scipy-5": ("torch-interpol-5",),
}
SMOOTH = [name for name in METHODS if name not in GROUPS["nearest"]]


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """torchlanc reads this when it is imported, and would else write into the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCHLANC_CACHE_DIR", str(tmp_path_factory.mktemp("torchlanc")))
        yield


def family(name: str) -> str:
    return ADAPTERS[name].family


def need(name: str) -> None:
    """Skip, with a reason, where the optional library is not installed."""
    module = MODULES.get(family(name), "torch")
    if family(name) in OPTIONAL and find_spec(module.partition(".")[0]) is None:
        pytest.skip(f"{module} is not installed: pip install 'upbench[libraries]'")


def built(name: str, scale: int, dtype: torch.dtype = torch.float32) -> Upsampler:
    need(name)
    try:
        return build(ADAPTERS[name], scale, CPU, dtype)
    except SkippedError as error:
        if "no Lanczos for" in str(error):
            pytest.skip(str(error))
        raise


def farthest(one: Tensor, other: Tensor) -> float:
    return (one.double() - other.double()).abs().max().item()


def test_all_of_them_are_installed() -> None:
    assert len(METHODS) == 33
    assert {family(name) for name in METHODS} == set(MODULES)


@pytest.mark.parametrize("scale", [2, 3])
@pytest.mark.parametrize("name", METHODS)
def test_keeps_the_contract(name: str, scale: int) -> None:
    built(name, scale)  # skips what cannot be had here
    conforming(ADAPTERS[name], scale, CPU, torch.float32)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16, torch.uint8], ids=str)
@pytest.mark.parametrize("name", METHODS)
def test_another_dtype_conforms_or_is_declined_in_a_sentence(name: str, dtype: torch.dtype) -> None:
    need(name)
    try:
        conforming(ADAPTERS[name], 2, CPU, dtype)
    except SkippedError as error:
        assert "is run in" in str(error) or "no Lanczos for" in str(error)


@pytest.mark.parametrize("name", ["pillow-bicubic", "opencv-cubic", "scipy-3", "skimage-0", "torchvision-bicubic"])
def test_runs_on_uint8(name: str) -> None:
    need(name)
    conforming(ADAPTERS[name], 2, CPU, torch.uint8)


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
@pytest.mark.parametrize(("first", "name"), [(first, name) for first in GROUPS for name in GROUPS[first]])
def test_gives_the_pixels_of_its_group(first: str, name: str, scale: int) -> None:
    low = random_images((2, 3, 16, 16), seed=scale)
    assert farthest(built(name, scale)(low), built(first, scale)(low)) < TOLERANCE


@pytest.mark.parametrize("name", ["pillow-bicubic", "torchvision-bicubic", "resize-right-cubic"])
def test_the_other_cubic_is_not_bicubic(name: str) -> None:
    low = random_images((2, 3, 16, 16))
    assert farthest(built(name, 2)(low), built("bicubic", 2)(low)) > 0.01


@pytest.mark.parametrize("order", [2, 3, 4, 5])
def test_scikit_image_clips_to_the_range_of_the_plane(order: int) -> None:
    low = 0.25 + random_images((2, 3, 16, 16)) / 2
    high = built(f"skimage-{order}", 2)(low)
    assert torch.all(high.amax((2, 3)) <= low.amax((2, 3)))
    assert torch.all(high.amin((2, 3)) >= low.amin((2, 3)))


@pytest.mark.parametrize("scale", [2, 3])
@pytest.mark.parametrize("name", SMOOTH)
def test_output_centres_lie_half_a_pixel_in(name: str, scale: int) -> None:
    """A ramp shows where output pixels lie: on average over an input pixel's, at that pixel's centre.

    At 8 pixels from the border aligned corners would be off by 0.12, a phase of 0 by 0.25 and more.
    """
    ramp = torch.arange(32.0).expand(1, 3, 32, 32) / 32
    for low in (ramp, ramp.mT):
        high = built(name, scale)(low.contiguous()) * 32
        position = high[0, 0].mean(0 if low is ramp else 1).reshape(32, scale).mean(1)
        assert farthest(position[8:-8], torch.arange(32.0)[8:-8]) < 0.02


@pytest.mark.parametrize("scale", [2, 3])
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.xfail(strict=True, reason="torchlanc 1.1 drops a tap on one side"))
        if name == "torchlanc"
        else name
        for name in METHODS
    ],
)
def test_a_mirrored_image_stays_mirrored(name: str, scale: int) -> None:
    half = random_images((1, 3, 16, 8), seed=scale)
    wide = torch.cat([half, half.flip(3)], dim=3)
    for low in (wide, wide.mT.contiguous()):
        high = built(name, scale)(low)
        assert farthest(high, high.flip(3 if low is wide else 2)) < TOLERANCE


@pytest.mark.parametrize("name", METHODS)
def test_channels_are_treated_alone_whatever_their_number(name: str) -> None:
    low = random_images((2, 5, 12, 16))
    high = built(name, 2)(low)
    assert high.shape == (2, 5, 24, 32)
    for channel in range(5):
        alone = built(name, 2)(low[:, channel : channel + 1])
        assert farthest(high[:, channel : channel + 1], alone) < TOLERANCE


@pytest.mark.parametrize("name", ["pillow-nearest", "pillow-bicubic", "pillow-lanczos"])
def test_pillow_gives_the_same_bytes_as_rgb_and_plane_by_plane(name: str) -> None:
    low = random_images((2, 3, 12, 16), dtype=torch.uint8)
    upsample = built(name, 2, torch.uint8)
    planes = torch.cat([upsample(low[:, channel : channel + 1]) for channel in range(3)], dim=1)
    assert torch.equal(upsample(low), planes)


@pytest.mark.parametrize("name", [name for name in METHODS if family(name) in ON_ARRAYS])
def test_an_array_library_declines_cuda_and_gradients(name: str) -> None:
    with pytest.raises(SkippedError, match="works on the CPU only"):
        build(ADAPTERS[name], 2, torch.device("cuda"), torch.float32)
    upsample = built(name, 2)
    with pytest.raises(NotImplementedError, match="no gradient"):
        upsample(torch.rand(1, 3, 8, 8, requires_grad=True))


@pytest.mark.parametrize("name", METHODS)
def test_a_missing_library_is_a_reason(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, MODULES[family(name)], None)
    extra = r"'upbench\[libraries\]'" if family(name) in OPTIONAL else r"[\w-]+"
    with pytest.raises(SkippedError, match=rf"^needs [\w-]+: pip install {extra}$"):
        build(ADAPTERS[name], 2, CPU, torch.float32)
    assert ADAPTERS[name].summary()


@pytest.mark.parametrize("error", [RuntimeError("operator nms does not exist"), OSError("no libGL")], ids=repr)
def test_a_broken_library_is_a_reason(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        raise error

    adapter = ADAPTERS["torchvision-bilinear"]
    adapter.factory()
    monkeypatch.setattr(importlib, "import_module", broken)
    with pytest.raises(SkippedError, match=f"torchvision is installed and cannot be imported: {error}"):
        build(adapter, 2, CPU, torch.float32)


def test_a_torchvision_without_lanczos_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*arguments: object, **options: object) -> None:
        raise ValueError("Anti-alias option is restricted to bilinear and bicubic modes")

    monkeypatch.setattr("torchvision.transforms.v2.functional.resize", none)
    with pytest.raises(SkippedError, match="torchvision has no Lanczos for cpu tensors in torch"):
        build(ADAPTERS["torchvision-lanczos"], 2, CPU, torch.float32)


def test_opencv_is_held_to_the_threads_of_torch_and_its_channel_limit() -> None:
    upsample = built("opencv-linear", 2)
    cv2 = importlib.import_module("cv2")
    cv2.setNumThreads(torch.get_num_threads() + 1)
    upsample.prepare(torch.rand(1, 3, 8, 8))
    assert cv2.getNumThreads() == torch.get_num_threads()
    with pytest.raises(NotImplementedError, match="at most 128 channels"):
        upsample(torch.rand(1, 129, 8, 8))


def test_torchlanc_takes_a_batch_whole_after_a_smaller_one(monkeypatch: pytest.MonkeyPatch) -> None:
    upsample = built("torchlanc", 2)
    inside = sys.modules["torchlanc.torchlanc"]
    resize, batches = inside._lanczos_resize_core, []

    def watched(planes: Tensor, *arguments: object) -> object:
        batches.append(len(planes))
        return resize(planes, *arguments)

    monkeypatch.setattr(inside, "_lanczos_resize_core", watched)
    for n in (2, 8, 2, 8):
        upsample(torch.rand(n, 3, 11, 13))
    assert batches == [6, 24, 6, 24]


def test_torchlanc_trains_after_a_run_in_inference_mode() -> None:
    upsample = built("torchlanc", 2)
    with torch.inference_mode():
        upsample(torch.rand(1, 3, 13, 11))
    low = torch.rand(1, 3, 13, 11, requires_grad=True)
    (gradient,) = torch.autograd.grad(upsample(low).sum(), low)
    assert gradient.sum().item() == pytest.approx(4 * low.numel(), rel=1e-4)
