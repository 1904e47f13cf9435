"""`upbench upsample` and `upbench panel`: methods on a person's own picture."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from upbench.bench.adapters import Adapter, select
from upbench.bench.cli import options
from upbench.bench.errors import FailedError, SkippedError, UsageError
from upbench.bench.store import replacing
from upbench.bench.upsampler import build
from upbench.datasets import pictures
from upbench.datasets.pictures import Picture
from upbench.reports import panel

if TYPE_CHECKING:
    from upbench.bench.cli.options import SubParsers


def add(commands: "SubParsers") -> None:
    """Register both commands."""
    one = options.add_command(
        commands,
        "upsample",
        help="upsample one picture with one method",
        example="upbench upsample in.png out.png --method bicubic --scale 4",
    )
    one.add_argument("--method", required=True, metavar="NAME", help="a method's name, or FILE.py:FACTORY")
    one.set_defaults(run=run_upsample)
    many = options.add_command(
        commands,
        "panel",
        help="a labelled side-by-side of methods on one picture, with the same zoomed crop for each",
        example="upbench panel in.png out.png --methods nearest bilinear bicubic --scale 4",
    )
    options.add_methods(many)
    many.set_defaults(run=run_panel)
    for parser in (one, many):
        parser.add_argument("input", type=Path, metavar="IN.png", help="the picture to upsample")
        parser.add_argument("output", type=Path, metavar="OUT.png", help="where to write the result")
        parser.add_argument("--scale", type=options.scale_factor, default=2, metavar="S", help="default: 2")
        options.add_device(parser)


def run_upsample(arguments: argparse.Namespace) -> int:
    """Upsample one picture; depth and transparency are kept."""
    _require_suffix(arguments.output)
    device = options.device(arguments.device)
    is_spec = ":" in arguments.method
    adapter = select([] if is_spec else [arguments.method], [arguments.method] if is_spec else [])[0]
    picture = pictures.read(arguments.input)
    try:
        result = upsample(adapter, picture, arguments.scale, device)
    except (SkippedError, FailedError) as reason:
        raise UsageError(f"{adapter.name} cannot do this: {reason}.") from reason
    with replacing(arguments.output) as temporary:
        pictures.write(temporary, result)
    height, width = result.pixels.shape[-2:]
    print(f"{arguments.output}: {width}x{height}, {adapter.name} x{arguments.scale}")
    return options.EXIT_OK


def run_panel(arguments: argparse.Namespace) -> int:
    """Draw the picture and every method's version of it; a method that cannot is named with its reason."""
    _require_suffix(arguments.output)
    device = options.device(arguments.device)
    adapters = select(arguments.methods, arguments.method)
    picture = pictures.read(arguments.input)
    items = [("original", _shown(picture))]
    failed = False
    for adapter in adapters:
        try:
            items.append((adapter.name, _shown(upsample(adapter, picture, arguments.scale, device))))
        except (SkippedError, FailedError) as reason:
            failed = failed or isinstance(reason, FailedError)
            print(f"upbench: {adapter.name}: {reason}", file=sys.stderr)
    if len(items) == 1:
        raise UsageError("none of these methods could upsample the picture.")
    with replacing(arguments.output) as temporary:
        panel.draw(temporary, items, title=f"{arguments.input.name} x{arguments.scale}")
    print(f"{arguments.output}: {len(items) - 1} methods, x{arguments.scale}")
    return options.EXIT_FAILED if failed else options.EXIT_OK


def upsample(adapter: Adapter, picture: Picture, scale: int, device: torch.device) -> Picture:
    """Upsample any picture as RGB: grey is repeated, colours are premultiplied by their transparency.

    Raises `SkippedError` or `FailedError`.
    """
    upsampler = build(adapter, scale, device, torch.float32)
    pixels = picture.pixels
    colour, alpha = (pixels[:-1], pixels[-1:]) if picture.has_alpha else (pixels, None)
    planes = [colour if alpha is None else colour * alpha, *([] if alpha is None else [alpha])]
    low = torch.stack([plane.expand(3, -1, -1) for plane in planes]).to(device)
    with torch.inference_mode():
        high = upsampler.attempt(low).float().cpu()
    _require_shape(high, low, scale)
    channels = colour.shape[0]
    if alpha is None:
        return Picture(pixels=high[0, :channels], bits=picture.bits)
    opacity = high[1, :1].clamp(0, 1)
    plain = torch.where(opacity > 0, high[0, :channels] / opacity.clamp(min=1e-6), 0)
    return Picture(pixels=torch.cat([plain, opacity]), bits=picture.bits)


def _require_shape(high: Tensor, low: Tensor, scale: int) -> None:
    n, c, h, w = low.shape
    if tuple(high.shape) != (n, c, scale * h, scale * w):
        raise FailedError(f"it returned shape {tuple(high.shape)} for an input of {tuple(low.shape)}")
    if not torch.isfinite(high).all():
        raise FailedError("it returned NaN or infinite values")


def _require_suffix(path: Path) -> None:
    if path.suffix.lower() not in pictures.SUFFIXES:
        raise UsageError(f"{path}: give the output a name that ends in .png.")


def _shown(picture: Picture) -> panel.Image:
    """8-bit `(H, W, C)` for drawing; grey is drawn as RGB."""
    levels = (picture.pixels.clamp(0, 1) * 255).round().to(torch.uint8)
    channels = levels.shape[0]
    if channels <= 2:
        grey = levels[:1].expand(3, -1, -1)
        levels = torch.cat([grey, levels[1:]]) if channels == 2 else grey
    return levels.permute(1, 2, 0).numpy()
