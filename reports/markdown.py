"""Blocks to markdown as GitHub renders it. Everything that came from the data stays text."""

import html
import re
from collections.abc import Sequence
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from upbench.reports.words import Block, Said, Span, plain, words

SPECIAL = re.compile(r"([\\`*_\[\]<>#|~&$]|(?<=!)(?=\[)|:(?=//)|(?<=www)\.)")


def write(blocks: Sequence[Block]) -> str:
    """The page as markdown."""
    lines = _environment().get_template("report.md.j2").render(blocks=blocks).splitlines()
    page = re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in lines)).strip() + "\n"
    return page.replace("</details>\n\n<details>", "</details>\n<details>")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("upbench.reports"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # the filters below escape, each for its own place
    )
    environment.filters |= {"md": markdown, "attribute": attribute, "plain": plain}
    environment.tests["of"] = lambda block, kind: type(block).__name__ == kind
    return environment


def markdown(said: Said, in_table: bool = False) -> str:
    """Words as markdown."""
    return "".join(_span(span, in_table) for span in words(said))


def _span(span: Span, in_table: bool) -> str:
    if span.kind == "code":
        return _code(span.text, in_table)
    escaped = escape(span.text)
    if span.kind == "bold":
        return f"**{escaped}**"
    if span.kind == "italic":
        return f"*{escaped}*"
    return (
        f"[{escaped}](<{span.href}>)"
        if span.kind == "link" and " " in span.href
        else (f"[{escaped}]({span.href})" if span.kind == "link" else escaped)
    )


def escape(text: str) -> str:
    """Text that means nothing to markdown, to HTML, or to GitHub's own mentions."""
    return re.sub(r"@(?=\w)", "@\u2060", SPECIAL.sub(r"\\\1", text))


def _code(text: str, in_table: bool) -> str:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    space = " " if longest and text[0] + text[-1] != "" and "`" in (text[0], text[-1]) else ""
    return f"{fence}{space}{text.replace('|', chr(92) + '|') if in_table else text}{space}{fence}"


def attribute(value: str) -> str:
    """Text within HTML, an attribute's value too."""
    return html.escape(value, quote=True)
