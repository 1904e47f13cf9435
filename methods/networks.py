"""The learned upsamplers as `nn.Module`s, untrained: RGB `(N, 3, H, W)` in [0, 1] to `(N, 3, s*H, s*W)`.

The output is not clamped. They differ in how they raise the resolution: a transposed convolution, a pixel
shuffle, or a fixed resize.
"""

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Subpixel(nn.Sequential):
    """A 3x3 convolution to `3 * scale**2` channels, then a pixel shuffle, to `(N, 3, s*H, s*W)`.

    It starts with the same weights for all phases of a colour (ICNR; Aitken et al., "Checkerboard artifact
    free sub-pixel convolution", 2017), so that an untrained network lays no checkerboard.
    """

    def __init__(self, features: int, scale: int) -> None:
        """Weights of `scale**2` phases for each of 3 colours, equal at the start."""
        convolution = nn.Conv2d(features, 3 * scale**2, 3, padding=1)
        super().__init__(convolution, nn.PixelShuffle(scale))
        for parameter in convolution.parameters():
            one_phase = parameter.detach()[:: scale**2]
            parameter.data = one_phase.repeat_interleave(scale**2, dim=0)


class ResizeConvolution(nn.Sequential):
    """Nearest neighbour, then a 3x3 convolution at full size (Odena et al., "Deconvolution and checkerboard
    artifacts", Distill, 2016)."""

    def __init__(self, features: int, scale: int) -> None:
        """The fixed enlargement comes first: every phase then shares one kernel."""
        super().__init__(nn.Upsample(scale_factor=scale), nn.Conv2d(features, 3, 3, padding=1))


def transposed(kernel_per_scale: int, scale: int) -> nn.Module:
    """One `ConvTranspose2d` with stride `scale` and kernel `kernel_per_scale * scale`: a linear method."""
    kernel = kernel_per_scale * scale
    return nn.ConvTranspose2d(3, 3, kernel, stride=scale, padding=(kernel - scale) // 2)


class OverNearest(nn.Module):
    """Any network here plus the nearest neighbour image: it learns what that misses.

    None of the three papers has this skip. Without it, so small a network spends most of a short training on
    learning to copy its input: `espcn` with tanh, x2, reached 27.60 dB on held-out images after 4,000 steps
    without the skip, and 27.67 dB after 500 with it.
    """

    def __init__(self, network: nn.Module, scale: int) -> None:
        """`network` takes `(N, 3, H, W)` to `(N, 3, scale*H, scale*W)`."""
        super().__init__()
        self.network = network
        self.enlarge = partial(F.interpolate, scale_factor=scale, mode="nearest")

    def forward(self, low: Tensor) -> Tensor:
        """`(N, 3, H, W)` in [0, 1] to `(N, 3, scale*H, scale*W)`, unclamped."""
        missing: Tensor = self.network(low)
        return self.enlarge(low) + missing


def espcn(scale: int) -> nn.Module:
    """Features at low resolution (5x5 to 64, 3x3 to 32), sub-pixel convolution (after Shi et al., 2016).

    With ReLU where they have tanh, and over nearest neighbour.
    """
    return OverNearest(nn.Sequential(*_features(), Subpixel(32, scale)), scale)


def resize_convolution(scale: int) -> nn.Module:
    """The features of `espcn` before a resize-convolution: only the step up in resolution differs."""
    return OverNearest(nn.Sequential(*_features(), ResizeConvolution(32, scale)), scale)


def _features() -> list[nn.Module]:
    return [nn.Conv2d(3, 64, 5, padding=2), nn.ReLU(), nn.Conv2d(64, 32, 3, padding=1), nn.ReLU()]


def fsrcnn(scale: int) -> nn.Module:
    """Extract, shrink, map, expand, deconvolve: FSRCNN(d=56, s=12, m=4) on RGB (after Dong et al., 2016).

    The last layer is a 9x9 transposed convolution of stride `scale`, padded so that the output is `scale`
    times the input; it starts small (standard deviation 0.001), as theirs. Over nearest neighbour.
    """
    widths = [(3, 56, 5), (56, 12, 1), *[(12, 12, 3)] * 4, (12, 56, 1)]
    layers: list[nn.Module] = []
    for inputs, outputs, kernel in widths:
        layers += [nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2), nn.PReLU(outputs)]
    padding, short = (10 - scale) // 2, (9 - scale) % 2
    last = nn.ConvTranspose2d(56, 3, 9, stride=scale, padding=padding, output_padding=short)
    nn.init.normal_(last.weight, std=1e-3)
    return OverNearest(nn.Sequential(*layers, last), scale)


class ResidualBlock(nn.Module):
    """`x + conv(relu(conv(x)))`, without batch normalisation (Lim et al., 2017), wide between the two.

    Wide activation: Yu et al., "Wide activation for efficient and accurate image super-resolution", 2018. At x2 and
    after 1,200 steps, 4 blocks of 32 to 128 features were 0.05 dB better on held-out images than 4 of 64 to 64,
    which cost as much.
    """

    def __init__(self, features: int, width: int) -> None:
        """Two 3x3 convolutions that keep shape `(N, features, H, W)`, with `width` features between them."""
        super().__init__()
        self.first = nn.Conv2d(features, width, 3, padding=1)
        self.second = nn.Conv2d(width, features, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """`(N, features, H, W)` to the same shape."""
        residual: Tensor = self.second(F.relu(self.first(x)))
        return x + residual


class Edsr(nn.Module):
    """Residual blocks at low resolution and a pixel shuffle, added to the bicubic image.

    After Lim et al., "Enhanced deep residual networks for single image super-resolution", 2017. Smaller than
    theirs, wide inside its blocks, one shuffle for any scale, and a skip over the whole network by torch's
    bicubic, so that only what bicubic misses has to be learned: the untrained network is bicubic.
    """

    def __init__(self, scale: int, *, features: int = 32, width: int = 128, blocks: int | None = None) -> None:
        """The last convolution starts at zero; `scale + 4` blocks: a low-resolution pixel has more to tell at x4."""
        super().__init__()
        blocks = scale + 4 if blocks is None else blocks
        self.head = nn.Conv2d(3, features, 3, padding=1)
        body = [ResidualBlock(features, width) for _ in range(blocks)]
        self.body = nn.Sequential(*body, nn.Conv2d(features, features, 3, padding=1))
        self.tail = Subpixel(features, scale)
        self.enlarge = partial(F.interpolate, scale_factor=scale, mode="bicubic")
        with torch.no_grad():
            for parameter in self.tail.parameters():
                parameter.zero_()

    def forward(self, low: Tensor) -> Tensor:
        """`(N, 3, H, W)` in [0, 1] to `(N, 3, scale*H, scale*W)`, unclamped."""
        shallow = self.head(low)
        missing: Tensor = self.tail(shallow + self.body(shallow))
        return self.enlarge(low) + missing


class SelfEnsemble(nn.Module):
    """The mean of a network's images of an input that is mirrored (and turned), each put back.

    "Geometric self-ensemble" (Lim et al., 2017, their EDSR+): better by 0.1 to 0.2 dB here, for as many times the
    work as there are views. With four views the result follows a mirrored input exactly, with eight a turned
    one too.
    """

    MIRRORS = ((), (2, 3), (3,), (2,))

    def __init__(self, network: nn.Module, views: int) -> None:
        """`views`: 4 (mirrors) or 8 (mirrors of the image and of its transpose)."""
        super().__init__()
        self.network = network
        self.transposed = (False, True)[: views // 4]

    def forward(self, low: Tensor) -> Tensor:
        """`(N, 3, H, W)` in [0, 1] to `(N, 3, scale*H, scale*W)`, unclamped."""
        images = [
            _transpose(self.network(_transpose(low, turned).flip(axes)).flip(axes), turned)
            for turned in self.transposed
            for axes in self.MIRRORS
        ]
        return torch.stack(images).mean(dim=0)


def _transpose(image: Tensor, turned: bool) -> Tensor:
    return image.transpose(2, 3) if turned else image


VIEWS = {"learned-edsr": 4}  # of methods that are ensembles of themselves


def in_use(name: str, network: nn.Module) -> nn.Module:
    """A trained network as the method of that name runs it."""
    return SelfEnsemble(network, VIEWS[name]) if name in VIEWS else network


NETWORKS: dict[str, Callable[[int], nn.Module]] = {
    "learned-transposed-k2": partial(transposed, 1),
    "learned-transposed-k4": partial(transposed, 2),
    "learned-espcn": espcn,
    "learned-fsrcnn": fsrcnn,
    "learned-resize-conv": resize_convolution,
    "learned-edsr": Edsr,
}
