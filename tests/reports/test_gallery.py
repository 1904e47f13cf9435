"""The kept pages: lint-free, every link and picture there, in light and dark, with words for who cannot see it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

GALLERY = Path(__file__).parents[2] / "reports" / "gallery"
PAGES = sorted(GALLERY.glob("*/*.md"))


def test_a_markdown_linter_has_nothing_to_say(complaints: Callable) -> None:
    assert len(PAGES) >= 6
    assert complaints(*PAGES) == ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_every_link_and_picture_is_there(page: Path) -> None:
    text = page.read_text()
    said = re.sub(r"^ *```.*?^ *```|`[^`]*`", "", text, flags=re.DOTALL | re.MULTILINE)
    targets = re.findall(r"\]\(([^)#:\s]+)\)", said)
    targets += re.findall(r'(?:src|srcset)="([^"]+)"', text)
    assert [target for target in targets if not (page.parent / target).is_file()] == []
    for picture in re.findall(r"<picture>.*", text):
        assert "-dark.png" in picture and "-light.png" in picture
        assert len(re.search(r'alt="([^"]+)"', picture).group(1)) > 40
    assert "![" not in text, "a picture in one theme"
