"""German in a real browser: the longer words fit, axe finds nothing, and the switch in the menu works."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.firm import PASSWORD, Firm
from tests.browser.test_looks import AXE, RUN_AXE, busy_firm, pages_of

pytestmark = [pytest.mark.browser, pytest.mark.emulator]
WIDTHS = (360, 1024, 1440)
OVERFLOWS = "document.documentElement.scrollWidth > innerWidth"


def test_the_longer_words_fit(firm: Firm, chromium: Browser) -> None:
    """No page scrolls sideways, narrow, at the width where the sections come out of their menu, and wide."""
    busy_firm(firm)
    wrong: list[object] = []
    context = chromium.new_context(base_url=firm.url, locale="de-DE")
    page = context.new_page()
    page.goto("/sign-in")
    page.get_by_label("Benutzername").fill("ines")
    page.get_by_label("Kennwort").fill(PASSWORD)
    page.get_by_role("button", name="Anmelden", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Meldungen")
    for path in pages_of(firm):
        page.goto(path)
        page.evaluate(AXE)
        wrong += [(path, each) for each in page.evaluate(RUN_AXE)]
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            if page.evaluate(OVERFLOWS):
                wrong.append((path, width, "scrolls sideways"))
    context.close()
    assert wrong == []


def test_the_switch_in_the_menu(firm: Firm, sign_in: Callable[..., Page]) -> None:
    """One click changes the language of the page that somebody reads, and back."""
    page = sign_in("maya", viewport={"width": 1440, "height": 900})
    page.goto("/failures")
    page.locator("header summary", has_text="Maya Lind").click()
    page.get_by_role("button", name="Deutsch").click()
    expect(page).to_have_url(f"{firm.url}/failures")
    expect(page.get_by_role("heading", level=1)).to_have_text("Fehler der serverseitigen Synchronisierung")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.goto("/calendar")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Kalender")
    page.locator("header summary", has_text="Maya Lind").click()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Calendar")
