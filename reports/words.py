"""What a page is made of: words and blocks, before they become markdown or HTML.

A section says what it has to say in these; only the two templates know how a page writes it down, and only they
escape. A name, a reason or a path from the data is given to `say`, `code` or a table's cell as it is.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

LONGEST = 300  # characters of one string from the data; the files have the rest


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text of one kind: `text`, `code`, `bold`, `italic` or `link` (to `href`)."""

    text: str
    kind: str = "text"
    href: str = ""


Words = tuple[Span, ...]
Said = str | int | Span | Words


def text(value: object, longest: int = LONGEST) -> str:
    """A string of the data as one harmless line: control and direction marks are spelt out, length is bounded."""
    line = " ".join(str(value)[: 4 * longest].split())
    shown = "".join(_visible(character) for character in line)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def _visible(character: str) -> str:
    hidden = unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")
    return f"\\u{ord(character):04x}" if hidden else character


def code(value: object) -> Span:
    """A name as one would type it."""
    return Span(text(value) or " ", "code")


def bold(value: object) -> Span:
    """Words that carry the finding."""
    return Span(text(value), "bold")


def link(value: object, href: str) -> Span:
    """A link within the page or to a file beside it."""
    return Span(text(value), "link", href)


def say(template: str, *parts: Said) -> Words:
    """A sentence of ours with `{}` where something of the data stands."""
    pieces = template.split("{}")
    spans: list[Span] = [Span(pieces[0])]
    for part, piece in zip(parts, pieces[1:], strict=True):
        spans += words(part)
        spans.append(Span(piece))
    return tuple(span for span in spans if span.text)


def prose(said: str) -> Words:
    """A sentence with `names` between backticks."""
    pieces = said.split("`")
    return tuple(code(piece) if index % 2 else Span(piece) for index, piece in enumerate(pieces) if piece)


def marked(said: str) -> Words:
    """As `prose`, and with **bold** and *italic* words."""
    spans: list[Span] = []
    for span in prose(said):
        pieces = [span.text] if span.kind == "code" else re.split(r"\*(\*[^*]+\*|[^*]+)\*", span.text)
        for index, piece in enumerate(pieces):
            kind = ("bold" if piece.startswith("*") else "italic") if index % 2 else span.kind
            spans.append(Span(piece.strip("*") if index % 2 else piece, kind))
    return tuple(span for span in spans if span.text)


def words(part: Said) -> Words:
    """Anything that can be said, as words."""
    if isinstance(part, Span):
        return (part,)
    return part if isinstance(part, tuple) else (Span(text(part)),)


def capital(said: str) -> str:
    """Words that begin a sentence."""
    return said[:1].upper() + said[1:]


def listed(parts: Iterable[Said], between: str = ", ") -> Words:
    """Several things, one after the other."""
    spans: list[Span] = []
    for part in parts:
        spans += [Span(between), *words(part)] if spans else words(part)
    return tuple(spans)


def plain(said: Said) -> str:
    """Words without any markup."""
    return "".join(span.text for span in words(said))


@dataclass(frozen=True, slots=True)
class Cell:
    """What a table shows, the number that it is sorted by, and the key of the raw samples behind it."""

    said: Words
    value: float | None = None
    samples: str = ""


def cell(said: Said | Cell | None, value: float | None = None, samples: str = "") -> Cell:
    """A table's cell; None is an empty one."""
    if isinstance(said, Cell):
        return said
    return Cell(() if said is None else words(said), value, samples)


@dataclass(frozen=True, slots=True)
class Heading:
    """A title; level 2 is a section's."""

    title: Words
    level: int = 2


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Some sentences."""

    said: Words


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list."""

    items: tuple[Words, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Titles of columns, which of them hold numbers, and rows. `search` gives it a filter in the HTML edition."""

    titles: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numbers: frozenset[int] = frozenset()
    search: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure: its file's name, what it shows in words, and how to draw it in a theme's colours.

    `html` is False for one whose numbers the HTML edition has in a table that shows them as well.
    """

    name: str
    shows: str
    draw: Callable[[Any], Any] = field(compare=False)
    html: bool = True


@dataclass(frozen=True, slots=True)
class Slider:
    """Pictures of the same thing, one laid over another; the HTML edition only. Arrays `(H, W, 3)`, uint8."""

    before: tuple[str, Any]
    after: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Rich:
    """What only the HTML edition has room for."""

    blocks: "tuple[Block, ...]"


@dataclass(frozen=True, slots=True)
class Alert:
    """What must not be missed: `CAUTION`, `WARNING`, `TIP` or `NOTE`."""

    kind: str
    said: Words


@dataclass(frozen=True, slots=True)
class Code:
    """Lines to copy."""

    source: str
    language: str = "python"


@dataclass(frozen=True, slots=True)
class Fold:
    """What opens on a click."""

    summary: Words
    blocks: "tuple[Block, ...]"


Block = Heading | Paragraph | Bullets | Table | Picture | Slider | Alert | Code | Fold | Rich


def heading(title: str, level: int = 2) -> Heading:
    """A title of ours."""
    return Heading(say(title), level)


def paragraph(template: str, *parts: Said) -> Paragraph:
    """Sentences of ours with parts of the data."""
    return Paragraph(say(template, *parts))


def fold(summary: Said, blocks: Sequence[Block]) -> list[Block]:
    """Blocks that open on a click; nothing where there are none."""
    return [Fold(words(summary), tuple(blocks))] if blocks else []


def table(titles: Sequence[str], rows: Iterable[Iterable[Any]], numbers: str = "", **named: Any) -> Table:
    """A table; `numbers` has a letter a column, `r` for one that is set to the right."""
    right = frozenset(index for index, letter in enumerate(numbers) if letter == "r")
    return Table(tuple(titles), tuple(tuple(map(cell, row)) for row in rows), right, **named)


def pictures(blocks: Iterable[Block]) -> Iterable[Picture]:
    """Every figure among blocks, those within folds too."""
    for block in blocks:
        if isinstance(block, Picture):
            yield block
        elif isinstance(block, Fold | Rich):
            yield from pictures(block.blocks)
