"""Methods on a person's own picture: one of them upsamples it, or several are drawn side by side."""

from functools import partial

import torch
from torch import Tensor

from upbench.bench.adapters import Adapter, lazily, select
from upbench.bench.devices import device
from upbench.bench.errors import FailedError, SkippedError, UsageError
from upbench.bench.jobs.picture_request import PanelRequest, UpsampleRequest
from upbench.bench.stage import Ending, Outcome, Progress, Row
from upbench.bench.store import replacing
from upbench.bench.workers.crew import Crew
from upbench.bench.workers.walls import Walls
from upbench.datasets import pictures
from upbench.datasets.pictures import Picture
from upbench.reports import panel


def upsample(request: UpsampleRequest, progress: Progress) -> Outcome:
    """Upsample one picture; depth and transparency are kept. Raises `UsageError` where the method cannot."""
    place = device(request.device)
    adapter = lazily(request.method)
    picture = pictures.read(request.input)
    try:
        with Walls(place) as walls:
            result = enlarged(walls, adapter, picture, request.scale)
    except (SkippedError, FailedError) as reason:
        raise UsageError(f"{adapter.name} cannot do this: {reason}.") from reason
    with replacing(request.output) as temporary:
        pictures.write(temporary, result)
    height, width = result.pixels.shape[-2:]
    progress.say(f"{request.output}: {width}x{height}, {adapter.name} x{request.scale}")
    return Outcome(stage="upsample", ending=Ending.OK)


def panels(request: PanelRequest, progress: Progress) -> Outcome:
    """Draw the picture and every method's version of it; a method that cannot is named with its reason."""
    place = device(request.device)
    adapters = select(request.methods, request.method)
    picture = pictures.read(request.input)
    items = [("original", _shown(picture))]
    rows: list[Row] = []
    with Crew(place) as crew:
        for adapter, made in crew.each(adapters, partial(_attempted, picture, request.scale)):
            row: Row = {"method": adapter.name, "status": "ok", "reason": ""}
            if isinstance(made, Picture):
                items.append((adapter.name, _shown(made)))
            else:
                row |= {"status": "failed" if isinstance(made, FailedError) else "skipped", "reason": str(made)}
                progress.warn(f"{adapter.name}: {made}")
            rows.append(row)
    if len(items) == 1:
        raise UsageError("none of these methods could upsample the picture.")
    with replacing(request.output) as temporary:
        panel.draw(temporary, items, title=f"{request.input.name} x{request.scale}")
    progress.say(f"{request.output}: {len(items) - 1} methods, x{request.scale}")
    failed = any(row["status"] == "failed" for row in rows)
    return Outcome(stage="panel", ending=Ending.FAILED if failed else Ending.OK, rows=rows)


def _attempted(picture: Picture, scale: int, walls: Walls, adapter: Adapter) -> Picture | SkippedError | FailedError:
    """The enlarged picture, or why there is none."""
    try:
        return enlarged(walls, adapter, picture, scale)
    except (SkippedError, FailedError) as reason:
        return reason


def enlarged(walls: Walls, adapter: Adapter, picture: Picture, scale: int) -> Picture:
    """Upsample any picture as RGB: grey is repeated, colours are premultiplied by their transparency.

    Raises `SkippedError` or `FailedError`.
    """
    upsampler = walls.upsampler(adapter, scale, torch.float32, check=False)
    pixels = picture.pixels
    colour, alpha = (pixels[:-1], pixels[-1:]) if picture.has_alpha else (pixels, None)
    planes = [colour if alpha is None else colour * alpha, *([] if alpha is None else [alpha])]
    low = torch.stack([plane.expand(3, -1, -1) for plane in planes]).to(walls.device)
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


def _shown(picture: Picture) -> panel.Image:
    """8-bit `(H, W, C)` for drawing; grey is drawn as RGB."""
    levels = (picture.pixels.clamp(0, 1) * 255).round().to(torch.uint8)
    channels = levels.shape[0]
    if channels <= 2:
        grey = levels[:1].expand(3, -1, -1)
        levels = torch.cat([grey, levels[1:]]) if channels == 2 else grey
    return levels.permute(1, 2, 0).numpy()
