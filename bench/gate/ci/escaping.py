"""Text of strangers in GitHub's markdown: shown as it is written, and nothing else.

A pull request's author chooses the names of methods, the reasons of failures, and in the end every byte of a file that
was written where that author's code ran. GitHub turns such text into links, pictures, HTML and mentions of people; the
last of these it looks for even behind entities, though never inside `<code>`.
Sources: CommonMark 0.31.2, sections 2.5 and 6; GitHub Flavored Markdown 0.29, section 6.9.
"""

import html
import re

TAGS = ("<details>", "</details>", "<summary>", "</summary>", "<br>")
CODE = re.compile(r"(<code>[^<>\n]*</code>)")
APART = "\u200b"  # a space without width: what stands around it is no longer one word
ENTITIES = {character: f"&#{ord(character)};" for character in "&<>|`*_~[](){}#@!$\\:\"'"}


def code(text: str) -> str:
    """The text on one line, set as code: neither markdown nor HTML nor a mention."""
    line = " ".join(text.split())
    shown = "".join(ENTITIES.get(character, character) for character in line if character.isprintable())
    return f"<code>{shown}</code>"


def harmless(text: str) -> str:
    """Markdown without links, pictures, mentions, or HTML other than folds, line breaks and code.

    A comment that `upbench.bench.gate.ci.comment` wrote comes back as it was.
    """
    parts = CODE.split(text.replace("\r\n", "\n"))
    return "".join(_code_again(part) if CODE.fullmatch(part) else _prose(part) for part in parts)


def _code_again(part: str) -> str:
    return code(html.unescape(part.removeprefix("<code>").removesuffix("</code>")))


def _prose(text: str) -> str:
    text = "".join(character for character in text if character.isprintable() or character in f"\n{APART}")
    text = text.replace("&", "&amp;")
    text = re.sub("|".join(map(re.escape, TAGS)) + "|<", lambda found: found[0] if len(found[0]) > 1 else "&lt;", text)
    for character in "[]`$~\\":
        text = text.replace(character, ENTITIES[character])
    text = re.sub(r"(?i)(@)(?=\w)|(#)(?=\d)|(\bGH-)(?=\d)", lambda found: found[0] + APART, text)
    return re.sub(r"(?i)://|\bwww\.", lambda found: found[0][:-1] + APART + found[0][-1], text)
