"""Markdown as GitHub renders it: what comes from the data stays text, whatever it is."""

import re

import pytest

from upbench.reports import markdown, numbers
from upbench.reports.words import Fold, Paragraph, cell, code, paragraph, say, table, text

HOSTILE = [
    "a|b",
    "`code` ``more``",
    "<script>alert(1)</script>",
    "<!-- gone -->",
    "![x](https://example.org/x.png)",
    "[link](javascript:alert(1))",
    "line\n\n# heading",
    "\u202eright to left",
    "@someone",
    "~~gone~~ **bold** __b__ $x$",
    "x" * 10_000,
    "\x00\x1b[31m",
    "&lt;b&gt;",
]


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_string_stays_one_line_of_text(value: str) -> None:
    shown = markdown.write([paragraph("{} and {}", value, code(value))])
    assert shown.count("\n") == 1
    assert len(shown) < 2_000
    for mark in ("<", "**", "~~", "![", "](", "$", "&"):
        bare = re.sub(r"(`+).*?(?<!`)\1(?!`)", "", shown, count=1)
        escaped = bare.replace("\\" + mark[0], "")
        assert mark not in escaped or "\\" in bare
    assert not re.search(r"[\u202e\x00\x1b]", shown)


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_cell_does_not_part_its_row(value: str) -> None:
    rows = markdown.write([table(["a", "b"], [[value, code(value)]], "ll")]).splitlines()
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {3}


def test_a_name_of_backticks_is_still_code() -> None:
    assert markdown.markdown(code("a`b")) == "``a`b``"
    assert markdown.markdown(code("`a")) == "`` `a ``"


def test_numbers_stand_to_the_right_and_what_is_missing_is_empty() -> None:
    shown = markdown.write([table(["m", "dB"], [[code("x"), cell("1.00", 1.0)], [code("y"), None]], "lr")]).splitlines()
    assert shown == ["| m | dB |", "| --- | --: |", "| `x` | 1.00 |", "| `y` |  |"]


def test_a_fold_opens_and_closes_with_an_empty_line_for_its_markdown() -> None:
    shown = markdown.write([Fold(say("more"), (Paragraph(say("inside")),))])
    assert shown == "<details><summary>more</summary>\n\ninside\n\n</details>\n"


def test_text_is_bounded_and_shows_what_is_hidden() -> None:
    assert text("a\u200bb") == "a\\u200bb"
    assert len(text("y" * 5_000)) == 300


@pytest.mark.parametrize(
    "value, shown", [(2340.1, "2,340"), (0.00123, "0.00123"), (1.2e6, "1,200,000"), (12.34, "12.3"), (9.999, "10.0")]
)
def test_numbers_have_three_digits_and_large_ones_are_written_in_full(value: float, shown: str) -> None:
    assert numbers.significant(value) == shown
