"""Every page of the demo as a picture in both themes: for docs/, and as a look at each page as a whole.

The pictures are written to docs/pictures when SYNCLINE_PICTURES is set; docs/pictures.md shows them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.test_looks import ROOT
from tests.cli.test_processes import running

pytestmark = [pytest.mark.browser, pytest.mark.emulator]

PAGES = {
    "alerts": "/alerts",
    "alerts-list": "/alerts?view=list",
    "question": "/alerts/{question}",
    "mailboxes": "/mailboxes",
    "mailbox": "/mailboxes/maya.lind@fjordbikes.example",
    "mailbox-alerts": "/mailboxes/maya.lind@fjordbikes.example?tab=alerts",
    "mailbox-repair": "/mailboxes/sara.costa@fjordbikes.example",
    "failures": "/failures",
    "trash": "/trash",
    "why": "/explain?q=Dentist",
    "calendar": "/calendar?week={day}",
    "calendar-list": "/calendar?view=list&week={day}",
    "email-configuration": "/email-configuration",
    "settings": "/settings",
    "rules": "/settings/rules",
    "me": "/settings/me",
    "help": "/help",
    "stand-in": "{outlook}",
}
VIEW = {"width": 1280, "height": 800}


@pytest.fixture(scope="module")
def demo() -> Iterator[dict[str, Any]]:
    """Start the demo once for all pictures."""
    with running("demo", "--port", "0", "--no-open", "--json") as ready:
        yield ready


@pytest.fixture(params=["light", "dark"])
def administrator(
    chromium: Browser, demo: dict[str, Any], request: pytest.FixtureRequest
) -> Iterator[tuple[Page, str]]:
    """Give the administrator's browser in a theme; nothing may stand on its console."""
    theme: str = request.param
    context = chromium.new_context(base_url=demo["url"], viewport=VIEW, color_scheme=theme)  # type: ignore[arg-type]
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto("/")
    page.get_by_role("button", name="Continue as Ines").click()
    page.wait_for_url("**/alerts**")
    yield page, theme
    context.close()
    assert said == []


def test_every_page_has_its_picture(administrator: tuple[Page, str], demo: dict[str, Any], tmp_path: Path) -> None:
    """Each page answers, has one heading of the first order, and nothing scrolls sideways."""
    page, theme = administrator
    folder = ROOT / "docs" / "pictures" if "SYNCLINE_PICTURES" in os.environ else tmp_path
    listed = page.request.get(
        f"{demo['url']}/api/v1/alerts?open=true", headers={"Authorization": f"Bearer {demo['token']}"}
    ).json()["items"]
    question = next(each for each in listed if each["subject"] == "Product demo for Alpen Sport")
    places = {"question": question["id"], "day": question["start"][:10], "outlook": demo["outlook"]}
    for name, path in PAGES.items():
        answer = page.goto(path.format(**places))
        assert answer is not None and answer.status == 200, path
        assert page.locator("h1").count() == 1, path
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
        page.screenshot(path=folder / f"page-{name}-{theme}.png")


def test_the_documents_show_every_picture() -> None:
    """docs/pictures.md names each picture that is made, and each that it names is there."""
    text = (ROOT / "docs" / "pictures.md").read_text(encoding="utf-8")
    made = {f"page-{name}-{theme}.png" for name in PAGES for theme in ("light", "dark")}
    there = {path.name for path in (ROOT / "docs" / "pictures").glob("page-*.png")}
    assert made == there
    assert [name for name in made if f"pictures/{name}" not in text] == []
