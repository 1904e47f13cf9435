"""Blocks to one HTML file: no request, readable without its script, light and dark. The data stays text.

Tables sort and filter by forty lines of `templates/report.js`. Libraries were measured against that in November 2026,
by what each adds to the page of the main job (0.84 MB; a page may have 1 MB): itables 2.9.1 (MIT, July 2026) 726 kB:
DataTables with its extensions in one bundle; Tabulator 6.4.0 (MIT), as panel 1.10 (113 MB) and django-js-lib-tabulator
(28 MB) ship it, 443 kB without its style; great-tables 1.1.0 (MIT, October 2026) 399 kB, and it takes over the tables,
so that nothing can be read without the script; bokeh's tables 302 kB on top of its core; ipyaggrid 4.2 MB. The one
combination that would fit, DataTables 2.1.8 with jQuery in 190 kB, lies unused in great-tables' wheel and may go with
any release. A library may take the place of our lines when its wheel ships one below 150 kB.
"""

import base64
import io
import json
import math
import re
from collections import ChainMap
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from PIL import Image as Picturing

from upbench.reports import families, theme
from upbench.reports.report import Report
from upbench.reports.words import Block, Cell, Fold, Heading, Picture, Rich, Table, pictures, plain

GLYPHS = {
    "torch": "●",
    "upbench": "■",
    "spectral": "◆",
    "convolution": "▲",
    "libraries": "✖",
    "learned": "✚",
    "yours": "★",
}
FONTS = "SourceSansPro-|DejaVuSans-"
GLYPH = rf'<path id="(?P<id>(?:{FONTS})[^"]*)"[^>]*/>'  # letters, which all figures share
MARK = r'<use href="[^"]*" x="[^"]*" y="[^"]*"'
LARGE = 60_000  # bytes of an embedded picture beyond which it is compressed with loss
DIGITS = 4  # of a raw sample


def write(reports: Sequence[Report], blocks: Sequence[Block]) -> str:
    """The page of one run, or of several, as one HTML file."""
    images = [image for report in reports for image in report.survey.images]
    names = {name.name: name.family for image in images for name in image.names}
    names |= {image.title: families.of(image.title) for image in images}
    raw = ChainMap(*(report.run.raw for report in reports))
    keys = {key: str(number) for number, key in enumerate(_sampled(blocks)) if key in raw}
    samples = {keys[key]: [key, *_whole(raw[key])] for key in keys}
    letters: dict[str, str] = {}
    drawings = {picture.name: _drawing(picture, letters) for picture in pictures(blocks) if picture.html}
    brief = {letter: f"l{number}" for number, letter in enumerate(letters)}
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            blocks=blocks,
            title=next((plain(block.title) for block in blocks if isinstance(block, Heading)), "upbench"),
            families=names,
            samples=keys,
            raw=Markup(json.dumps(samples, separators=(",", ":")).replace("<", "\\u003c")),
            drawings={name: _briefly(drawing, brief) for name, drawing in drawings.items()},
            letters=_briefly(_packed("".join(letters.values())), brief),
            variables={colours.name: _variables(colours) for colours in theme.THEMES},
            glyphs=GLYPHS,
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("upbench.reports"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=True,
    )
    environment.filters |= {"png": png, "anchor": anchor, "short": lambda value: f"{value:.5g}"}
    environment.tests["of"] = lambda block, kind: type(block).__name__ == kind
    return environment


def anchor(block: Heading) -> str:
    """A heading's id, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", plain(block.title).lower()).replace(" ", "-")


def _sampled(blocks: Sequence[Block]) -> dict[str, None]:
    """The keys of raw samples that some cell of the page stands for."""
    found: dict[str, None] = {}
    for block in blocks:
        if isinstance(block, Fold | Rich):
            found |= _sampled(block.blocks)
        elif isinstance(block, Table):
            cells: list[Cell] = [cell for row in block.rows for cell in row]
            found |= dict.fromkeys(cell.samples for cell in cells if cell.samples)
    return found


def _whole(values: Sequence[float]) -> tuple[float, list[int]]:
    """A unit, and samples as whole numbers of it, the largest of `DIGITS` digits: half the text of the same floats."""
    finite = [value for value in values if math.isfinite(value)]
    largest = max((abs(value) for value in finite), default=0.0)
    unit = float(f"1e{math.floor(math.log10(largest)) + 1 - DIGITS}") if largest else 1.0
    return unit, [round(value / unit) for value in finite]


def png(image: Any) -> str:
    """A `(H, W, 3)` uint8 array as an address that holds its pixels."""
    buffer = io.BytesIO()
    Picturing.fromarray(image).save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _named(colours: theme.Theme) -> dict[str, str]:
    """Colour variable -> colour."""
    plain_ones = ("page", "ink", "muted", "rule", "band", "good", "bad", "unsure", "cool")
    return {name: getattr(colours, name) for name in plain_ones} | colours.families


def _variables(colours: theme.Theme) -> Markup:
    return Markup(" ".join(f"--{name}: {colour};" for name, colour in _named(colours).items()))


def _drawing(picture: Picture, glyphs: dict[str, str]) -> Markup:
    """A figure as SVG whose colours are the page's variables, under its own ids; its letters go to `glyphs`."""
    buffer = io.StringIO()
    colours = theme.LIGHT
    with theme.styled(colours):
        picture.draw(colours).savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, dpi=theme.DPI)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    for name, colour in _named(colours).items():
        svg = svg.replace(colour, f"var(--{name})")
    svg = re.sub(GLYPH, lambda found: glyphs.setdefault(found["id"], found.group()) and "", svg)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{picture.name}-\1"', svg)
    svg = re.sub(rf'href="#(?!{FONTS})([^"]+)"', rf'href="#{picture.name}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{picture.name}-\1)", svg)
    svg = re.sub(r"data:image/png;base64,[A-Za-z0-9+/=\s]+", _smaller, svg)
    said = escape(" ".join(picture.shows.split()))
    return Markup(f'<svg role="img" aria-label="{said}" ' + _packed(svg).removeprefix("<svg "))


def _briefly(svg: str, brief: Mapping[str, str]) -> Markup:
    """A drawing with short names for its letters: they are most of its text."""
    return Markup(re.sub(rf'(?<=[#"])(?:{FONTS})[^"]*', lambda found: brief.get(found.group(), found.group()), svg))


def _packed(svg: str) -> str:
    """A drawing without what a browser does not need, and with no style said twice in a row."""
    svg = svg.replace("xlink:href=", "href=")
    svg = re.sub(r'(<use href="[^"]*") transform="translate\((-?\d+)[\d.]* 0\)"/>', r'\1 x="\2"/>', svg)
    svg = re.sub(r"(?<![\d.])(\d*[1-9]\d*\.\d{2})\d+", r"\1", svg)  # a scale such as 0.015625 stays
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    svg = re.sub(r"<!--.*?-->\s*|\n\s*(?=<)", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g>(<use [^>]*/>)</g>|(?<=[\dzZ"])\s*\n\s*(?=[A-Zz"])', r"\1", svg)
    svg = re.sub(r"(?<=[MLQCT]) (?=[-\d])| (?=[MLQCTz]\s)", "", svg)
    svg = re.sub(rf'{MARK} style="(?P<style>[^"]*)"/>(?:{MARK} style="(?P=style)"/>)+', _styled_once, svg)
    return re.sub(r"<defs></defs>", "", svg)


def _styled_once(found: re.Match[str]) -> str:
    """Marks of one style, in a group that has it."""
    style = f' style="{found["style"]}"'
    return f"<g{style}>{found.group().replace(style, '')}</g>"


def _smaller(found: re.Match[str]) -> str:
    """An embedded PNG as WebP: with every pixel as it was, a large one with loss."""
    data = "".join(found.group().split())
    picture = Picturing.open(io.BytesIO(base64.b64decode(data.partition(",")[2]))).convert("RGB")
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=85, method=4, lossless=len(data) < LARGE)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
