"""Identities between layers at x2: one trained layer written as another that gives the same outputs.

On an axis, nearest x2 then a kernel (a, b, c) makes the even outputs out of x[i-1]*a + x[i]*(b+c) and the odd ones out
of x[i]*(a+b) + x[i+1]*c: two taps each, which is a transposed convolution of kernel 4, stride 2, padding 1 with the
taps (c, b+c, a+b, a). Zeros beyond the border of the high image are zeros beyond that of the low one.
"""

import torch
from torch import Tensor, nn

# Row: tap of the transposed kernel; column: tap of the 3-tap kernel that goes into it.
SUMS = [[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]]


def fold(conv3: nn.Conv2d) -> nn.ConvTranspose2d:
    """The transposed convolution that equals nearest x2 followed by `conv3`, border included.

    `conv3` has kernel 3, padding 1 with zeros, stride 1, one group; raises `ValueError` for any other. The result takes
    16 multiplications for each input pixel and pair of channels where the two steps take 36: 2.25 times fewer.
    """
    require_plain(conv3)
    sums = conv3.weight.new_tensor(SUMS)
    weight = torch.einsum("pa,ocab,qb->copq", sums, conv3.weight.detach(), sums)
    return transposed_of(weight, conv3.bias, padding=1)


def require_plain(conv3: nn.Conv2d) -> None:
    """Raise `ValueError` for a convolution that `fold` does not cover."""
    plain = (conv3.kernel_size, conv3.stride, conv3.padding, conv3.dilation, conv3.groups, conv3.padding_mode)
    if plain != ((3, 3), (1, 1), (1, 1), (1, 1), 1, "zeros"):
        raise ValueError("only a 3x3 convolution with stride 1, padding 1 with zeros and one group can be folded")


def transposed_of(weight: Tensor, bias: Tensor | None, padding: int) -> nn.ConvTranspose2d:
    """A stride 2 transposed convolution with these weights `(C_in, C_out, k, k)`."""
    inputs, outputs, kernel, _ = weight.shape
    layer = nn.ConvTranspose2d(inputs, outputs, kernel, stride=2, padding=padding, bias=bias is not None)
    layer = layer.to(weight)
    with torch.no_grad():
        layer.weight.copy_(weight)
        if bias is not None and layer.bias is not None:
            layer.bias.copy_(bias)
    return layer


def as_k4(layer: nn.ConvTranspose2d) -> nn.ConvTranspose2d:
    """`transposed-k2` or `-k3` written as `transposed-k4`: zeros around its taps."""
    kernel = layer.kernel_size[0]
    if kernel not in (2, 3):
        raise ValueError(f"kernel 2 and 3 lie inside kernel 4; this one is {kernel}")
    weight = layer.weight.detach()
    wide = weight.new_zeros(*weight.shape[:2], 4, 4)
    first = 1 - int(layer.padding[0])  # an output 2i + tap - padding has the same place in both
    wide[..., first : first + kernel, first : first + kernel] = weight
    return transposed_of(wide, layer.bias, padding=1)


def as_shuffle(layer: nn.ConvTranspose2d) -> nn.Sequential:
    """`transposed-k4` written as a 3x3 convolution to 4C channels and a pixel shuffle."""
    if layer.kernel_size != (4, 4):
        raise ValueError("only kernel 4 is written as a pixel shuffle")
    weight = layer.weight.detach()
    inputs, outputs = weight.shape[:2]
    wide = weight.new_zeros(outputs, 2, 2, inputs, 3, 3)
    # Even outputs read x[i-1] by tap 3 and x[i] by tap 1; odd ones read x[i] by tap 2 and x[i+1] by tap 0.
    taps = {0: ((0, 3), (1, 1)), 1: ((1, 2), (2, 0))}
    for row in (0, 1):
        for column in (0, 1):
            for y, p in taps[row]:
                for x, q in taps[column]:
                    wide[:, row, column, :, y, x] = weight[:, :, p, q].T
    convolution = nn.Conv2d(inputs, 4 * outputs, 3, padding=1, bias=layer.bias is not None).to(weight)
    with torch.no_grad():
        convolution.weight.copy_(wide.reshape(4 * outputs, inputs, 3, 3))
        if convolution.bias is not None and layer.bias is not None:
            convolution.bias.copy_(layer.bias.repeat_interleave(4))
    return nn.Sequential(convolution, nn.PixelShuffle(2))
