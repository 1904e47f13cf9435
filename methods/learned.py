"""Networks with weights of ours, trained on a CIFAR-10 training split; weights/README.md is their card.

RGB only, x2 and x4 only, floating point only. The parameters stay trainable, so that a training step can be
timed.
"""

import torch
from torch import Tensor, nn

from upbench.methods.networks import NETWORKS, in_use
from upbench.methods.pretrained import restore
from upbench.methods.training import Recipe

RECIPES = {  # of each cycle of training; a second cycle goes on from the weights of the first
    ("learned-transposed-k2", 2): [Recipe(steps=600, rate=1e-2)],
    ("learned-transposed-k2", 4): [Recipe(steps=600, rate=1e-2)],
    ("learned-transposed-k4", 2): [Recipe(steps=600, rate=1e-2)],
    ("learned-transposed-k4", 4): [Recipe(steps=600, rate=1e-2)],
    ("learned-espcn", 2): [Recipe(steps=2500, rate=3e-3)],
    ("learned-espcn", 4): [Recipe(steps=1500, rate=3e-3)],
    ("learned-fsrcnn", 2): [Recipe(steps=1500, rate=2e-3)],
    ("learned-fsrcnn", 4): [Recipe(steps=1000, rate=2e-3)],
    ("learned-resize-conv", 2): [Recipe(steps=1000, rate=3e-3)],
    ("learned-resize-conv", 4): [Recipe(steps=1000, rate=3e-3)],
    ("learned-edsr", 2): [
        Recipe(steps=24000, rate=7e-4, muon_rate=2e-3, crop=28, recolour=False),
        Recipe(
            steps=50000,
            rate=7e-4,
            muon_rate=2e-3,
            weight_decay=0.1,
            crop=28,
            sides=(32, 32, 28, 24, 20),
            recolour=False,
        ),
    ],
    ("learned-edsr", 4): [Recipe(steps=20000, batch=32, rate=7e-4, muon_rate=1e-3, crop=28, recolour=False)],
}


def transposed_k2(scale: int, device: torch.device, dtype: torch.dtype) -> nn.Module:
    """Trained ConvTranspose2d(3, 3, k, stride=scale), k = scale: linear, a square for each pixel."""
    return _pretrained("learned-transposed-k2", scale, device, dtype)


def transposed_k4(scale: int, device: torch.device, dtype: torch.dtype) -> nn.Module:
    """Trained ConvTranspose2d(3, 3, k, stride=scale), k = 2 * scale: linear, neighbouring squares overlap."""
    return _pretrained("learned-transposed-k4", scale, device, dtype)


def espcn(scale: int, device: torch.device, dtype: torch.dtype) -> nn.Module:
    """Trained sub-pixel convolution network: 3 layers, pixel shuffle, ICNR start (after Shi et al., 2016)."""
    return _pretrained("learned-espcn", scale, device, dtype)


def fsrcnn(scale: int, device: torch.device, dtype: torch.dtype) -> nn.Module:
    """Trained FSRCNN(56, 12, 4): thin layers at low size, 9x9 deconvolution (after Dong et al., 2016)."""
    return _pretrained("learned-fsrcnn", scale, device, dtype)


def resize_conv(scale: int, device: torch.device, dtype: torch.dtype) -> nn.Module:
    """Trained: ESPCN's features, nearest neighbour, a convolution at full size (after Odena et al., 2016)."""
    return _pretrained("learned-resize-conv", scale, device, dtype)


def edsr(scale: int, device: torch.device, dtype: torch.dtype) -> nn.Module:
    """Trained residual network over a bicubic skip, the mean of 4 mirrored views (after Lim et al., 2017: EDSR+)."""
    return _pretrained("learned-edsr", scale, device, dtype)


def _pretrained(name: str, scale: int, device: torch.device, dtype: torch.dtype) -> nn.Module:
    network = in_use(name, restore(NETWORKS[name], name, scale, device, dtype)).eval()
    if device.type == "cpu":
        network = network.to(memory_format=torch.channels_last)  # up to a third faster there
    network.register_forward_pre_hook(_decline_other_channels)
    return network


def _decline_other_channels(network: nn.Module, inputs: tuple[Tensor]) -> None:
    channels = inputs[0].shape[1]
    if channels != 3:
        raise NotImplementedError(f"trained for RGB: 3 channels, not {channels}")
