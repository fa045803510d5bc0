"""Help: the documentation where it is needed."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from syncline.errors import CATALOGUE
from syncline.web.pages.guides import PAGES
from syncline.web.pages.rendering import help_url
from tests.desk.office import Office
from tests.web.visitor import Visitor, visiting


@pytest.fixture
def anybody(office: Office) -> Iterator[Visitor]:
    """Give somebody who is not signed in."""
    with visiting(office) as visitor:
        yield visitor


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_served_and_leads_nowhere_wrong(anybody: Visitor, name: str) -> None:
    """Each page is there for everybody, and every link inside help leads to a page and a heading that exist."""
    text = anybody.text(f"/help/{name}")
    assert "<h1" in text
    for target in re.findall(r'(?:href|src)="(/help[^"]*)"', text):
        path, _mark, anchor = target.partition("#")
        answer = anybody.get(path)
        assert answer.status_code == 200, target
        if anchor and path != "/help":
            assert f'id="{anchor}"' in answer.text, target


def test_every_error_is_explained(anybody: Visitor) -> None:
    """The link of each code leads to its heading."""
    text = anybody.text("/help/errors")
    missing = [code for code in CATALOGUE if f'id="{help_url(code).partition("#")[2]}"' not in text]
    assert missing == []


@pytest.mark.parametrize("path", ["/help/none", "/help/pictures/none.png", "/help/pictures/..%2f..%2fREADME.md"])
def test_what_is_not_there_is_not_found(anybody: Visitor, path: str) -> None:
    """Only the pages of the table and pictures beside them are served."""
    assert anybody.get(path).status_code == 404
