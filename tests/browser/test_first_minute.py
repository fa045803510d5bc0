"""The first minute of somebody who has never seen Syncline, as the demo promises it, in a real browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from syncline.demo import firm
from tests.browser.test_looks import AXE, LOOKS, ROOT, RUN_AXE
from tests.cli.test_processes import running

pytestmark = [pytest.mark.browser, pytest.mark.emulator]
PATIENCE_MS = 20_000
VIEW = {"width": 1280, "height": 860}


@pytest.fixture(scope="module")
def demo() -> Iterator[dict[str, Any]]:
    """Start the demo once; the last test of this file answers in it."""
    with running("demo", "--port", "0", "--no-open", "--json") as ready:
        yield ready


@pytest.fixture
def visitor(chromium: Browser, demo: dict[str, Any]) -> Iterator[Page]:
    """Give a browser that opens the first address; nothing may stand on its console."""
    context = chromium.new_context(base_url=demo["url"], viewport=VIEW, device_scale_factor=1)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto("/")
    yield page
    context.close()
    assert said == []


def consequence(button: Locator) -> str:
    """Return what a person reads beside a button before pressing it."""
    page, told = button.page, button.get_attribute("aria-describedby") or ""
    return " ".join(page.locator(f"[id='{name}']").inner_text() for name in told.split())


def picture(page: Page, name: str, folder: Path) -> None:
    """Keep a picture, for the documents when they are being made."""
    page.screenshot(path=(ROOT / "docs" / "pictures" if "SYNCLINE_PICTURES" in os.environ else folder) / name)


def test_an_administrator_lands_on_what_waits(visitor: Page, demo: dict[str, Any]) -> None:
    """Ines sees every question, the first of all on top; another person's private item is masked for her."""
    visitor.get_by_role("button", name="Continue as Ines").click()
    expect(visitor).to_have_url(f"{demo['url']}/alerts")
    expect(visitor.get_by_role("article").first).to_contain_text(firm.SCENE)
    expect(visitor.get_by_text("Private appointment").first).to_be_visible()
    expect(visitor.get_by_text("Physiotherapist")).to_have_count(0)


def test_the_demos_own_pieces_are_accessible_and_fit(chromium: Browser, demo: dict[str, Any]) -> None:
    """In both themes and widths axe finds nothing at the sign-in and under the strip; closed, the strip is gone."""
    wrong: list[object] = []
    for width, height, theme in LOOKS:
        context = chromium.new_context(
            base_url=demo["url"], viewport={"width": width, "height": height}, color_scheme=theme
        )
        page = context.new_page()
        for path in ("/sign-in", "/alerts"):
            page.goto(path)
            if path != "/sign-in":
                page.get_by_role("button", name="Continue as Ines").click()
                expect(page.locator(".demo-strip")).to_be_visible()
            page.evaluate(AXE)
            wrong += [(path, width, theme, each) for each in page.evaluate(RUN_AXE)]
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wrong.append((path, width, "scrolls sideways"))
        page.get_by_role("button", name="Close the strip of the demo").click()
        expect(page.locator(".demo-strip")).to_have_count(0)
        context.close()
    assert wrong == []


def test_the_first_minute(visitor: Page, demo: dict[str, Any], tmp_path: Path) -> None:
    """One click to the question; what Yes and No do is read without a click; the row appears; an own question too."""
    page = visitor
    picture(page, "first-minute-1-sign-in.png", tmp_path)
    page.get_by_role("button", name="Continue as Maya").click()
    card = page.get_by_role("article").first
    expect(card.get_by_role("heading", name=firm.SCENE)).to_be_visible()
    yes, no = card.get_by_role("button", name="Yes", exact=True), card.get_by_role("button", name="No", exact=True)
    assert "Save it in Syncline CRM beside the other" in consequence(yes)
    assert "no mail is sent" in consequence(yes)
    assert "Keep it out of Syncline CRM" in consequence(no)
    expect(page.locator(".demo-strip .done")).to_have_count(0)
    picture(page, "first-minute-2-question.png", tmp_path)

    yes.click()
    page.get_by_role("link", name="Open in Calendar").first.click(timeout=PATIENCE_MS)
    expect(page.get_by_text(firm.SCENE).first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(".demo-strip .done")).to_have_count(1)
    picture(page, "first-minute-3-calendar.png", tmp_path)

    page.get_by_role("link", name="2 Double-book somebody").click()
    page.wait_for_url(f"{demo['outlook']}**")  # the Calendar has a link of the same name
    page.get_by_role("link", name="New appointment", exact=True).click()
    page.get_by_label("Subject").fill("A visit of my own")
    page.get_by_role("button", name="Save").click()
    # Nobody presses anything: the page looks again by itself while something new stands on it.
    own = page.locator(".entry", has=page.get_by_role("link", name="A visit of my own"))
    asked = own.get_by_role("link", name="waits for an answer")
    expect(asked).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_role("heading", name="Mail this server would have sent: 0")).to_be_visible()
    picture(page, "first-minute-4-outlook.png", tmp_path)
    asked.click()
    expect(page.get_by_role("article").first).to_contain_text("A visit of my own")

    page.get_by_role("link", name="3 Why?").click()
    expect(page.get_by_role("heading", name=firm.SCENE).first).to_be_visible()
    expect(page.locator(".demo-strip .done")).to_have_count(3)
    picture(page, "first-minute-5-why.png", tmp_path)
