"""Two small networks around an upsampling layer: super-resolution by two, and an autoencoder with two layers.

The layer has C channels in and out and is followed by a ReLU. Only the residual blocks' inner width (`hidden`) changes
where networks are to have equal cost, so that the layer under test stays what it is. Images are RGB in [0, 1].
Initialisation: He et al., 2015; the second convolution of each block and the tail times 0.3.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from upbench.methods.layers.resized import conv3

Make = Callable[[int, int], nn.Module]
LATENT = 8
SMALL = 0.3
SCALE = 2


class Block(nn.Module):
    """x + conv(relu(conv(x)))."""

    def __init__(self, channels: int, hidden: int) -> None:
        """`hidden` channels between the two convolutions."""
        super().__init__()
        self.one, self.two = conv3(channels, hidden), conv3(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        """`(N, C, H, W)` to the same shape."""
        total: Tensor = x + self.two(self.one(x).relu())
        return total


class SuperResolution(nn.Module):
    """`(N, 3, H, W)` to `(N, 3, 2H, 2W)`: what the network adds to bicubic interpolation of its input."""

    period = 2  # of a checkerboard that the layer can make

    def __init__(self, channels: int, hidden: int) -> None:
        """The body; `layers` are put in by `with_layers`."""
        super().__init__()
        self.head, self.tail = conv3(3, channels), conv3(channels, 3)
        self.blocks = nn.Sequential(Block(channels, hidden), Block(channels, hidden))
        self.layers = nn.ModuleList()
        self.hidden = hidden

    def skip(self, low: Tensor) -> Tensor:
        """What the network starts from: torch's bicubic interpolation."""
        return F.interpolate(low, scale_factor=SCALE, mode="bicubic")

    def seen(self, low: Tensor) -> Tensor:
        """The features in front of the tail."""
        high: Tensor = self.layers[0](self.blocks(self.head(low - 0.5))).relu()
        return high

    def forward(self, low: Tensor) -> Tensor:
        """RGB in [0, 1], unclamped."""
        high: Tensor = self.skip(low) + self.tail(self.seen(low))
        return high


class Autoencoder(nn.Module):
    """`(N, 3, 4H, 4W)` through a code of 8 channels `(N, 8, H, W)` and back, with two upsampling layers."""

    period = 4

    def __init__(self, channels: int, hidden: int) -> None:
        """The body; `layers` are put in by `with_layers`."""
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(3, channels, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 4, stride=2, padding=1),
            nn.ReLU(),
            conv3(channels, LATENT),
        )
        self.head, self.tail = conv3(LATENT, channels), conv3(channels, 3)
        self.blocks = nn.ModuleList([Block(channels, hidden), Block(channels, hidden)])
        self.layers = nn.ModuleList()
        self.hidden = hidden

    def skip(self, image: Tensor) -> Tensor:
        """What the network starts from: grey."""
        return torch.full_like(image, 0.5)

    def seen(self, image: Tensor) -> Tensor:
        """The features in front of the tail."""
        features: Tensor = self.head(self.encoder(image - 0.5))
        for block, layer in zip(self.blocks, self.layers, strict=True):
            features = layer(block(features)).relu()
        return features

    def forward(self, image: Tensor) -> Tensor:
        """RGB in [0, 1], unclamped."""
        again: Tensor = self.skip(image) + self.tail(self.seen(image))
        return again


Network = SuperResolution | Autoencoder
TASKS: dict[str, tuple[type[SuperResolution] | type[Autoencoder], int]] = {
    "super-resolution": (SuperResolution, 1),
    "autoencoder": (Autoencoder, 2),
}


def build(task: str, make: Make, channels: int, hidden: int, seed: int) -> Network:
    """A network of that task with the layers that `make(channels, 2)` gives.

    The body depends on the seed and its widths alone, not on what a layer draws.
    """
    kind, count = TASKS[task]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = kind(channels, hidden)
        _start(network)
        torch.manual_seed(seed + 1_000_003)
        network.layers.extend(make(channels, SCALE) for _ in range(count))
    return network


def _start(network: Network) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    with torch.no_grad():
        for last in [network.tail, *(block.two for block in network.blocks if isinstance(block, Block))]:
            last.weight.mul_(SMALL)
