"""The Outlook stand-in in a real browser: how it looks, and what is made there becomes a question."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from syncline.desk import tokens
from syncline.desk.reading import OPERATOR
from tests.browser.firm import DOMAIN, Event, Firm, at
from tests.browser.test_looks import AXE, LOOKS, RUN_AXE

pytestmark = [pytest.mark.browser, pytest.mark.emulator]
MAYA = f"maya@{DOMAIN}"
NASTY = "<script>document.title='x'</script>\u202e" + "word " * 400


@pytest.fixture
def outlook(chromium: Browser, firm: Firm) -> Iterator[Page]:
    """Give the page of a browser before the stand-in; nothing may stand on the console or leave the machine."""
    token = tokens.create(firm.app, OPERATOR, "ines", "stand-in").token
    firm.exchange.show_syncline(firm.url, token or "")
    context = chromium.new_context(base_url=firm.exchange.url)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: said.append(request.url) if _foreign(request.url) else None)
    yield page
    context.close()
    assert said == []


def _foreign(url: str) -> bool:
    return urlsplit(url).hostname not in ("127.0.0.1", None)


def test_every_page_is_accessible_and_fits(chromium: Browser, firm: Firm, outlook: Page) -> None:
    """In light and dark, narrow and wide, axe finds nothing and no page scrolls sideways, whatever a subject holds."""
    firm.in_crm("Quarterly review with Harbour Cycles", at(9))
    firm.in_outlook(
        "maya",
        Event(subject="Product demo for Alpen Sport", start=at(9.5), more=(f"ATTENDEE:mailto:jonas@{DOMAIN}",)),
        Event(subject="Short", start=at(9.5), hours=0.5, tracked=False),
        Event(subject="Fair", start=at(0), hours=24, all_day=True),
        Event(subject="Pipeline call", start=at(12), more=("RRULE:FREQ=WEEKLY;COUNT=4", "CLASS:PRIVATE")),
    )
    firm.connect("maya")
    outlook.goto(f"/stand-in/new?mailbox={MAYA}&day={at(0):%Y-%m-%d}")
    outlook.get_by_label("Subject").fill(NASTY)
    outlook.get_by_label("Guests").fill(f"jonas@{DOMAIN}, somebody@elsewhere.example")
    outlook.get_by_role("button", name="Save").click()
    expect(outlook.get_by_role("status")).to_contain_text("Saved.")
    week = f"/?mailbox={MAYA}&week={at(-24):%Y-%m-%d}"
    item = outlook.get_by_role("link", name="Product demo").first.get_attribute("href") or ""
    others = ("new", "item?row=x", "outbox", "mailboxes")
    pages = [week, f"{week}&view=list", item, *(f"/stand-in/{name}" for name in others)]
    wrong: list[object] = []
    for width, height, theme in LOOKS:
        context = chromium.new_context(
            base_url=firm.exchange.url, viewport={"width": width, "height": height}, color_scheme=theme, bypass_csp=True
        )
        page = context.new_page()
        for path in pages:
            page.goto(path)
            page.evaluate(AXE)
            wrong += [(path, width, theme, each) for each in page.evaluate(RUN_AXE)]
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wrong.append((path, width, "scrolls sideways"))
        context.close()
    assert wrong == []


def test_what_is_double_booked_here_becomes_a_question(firm: Firm, outlook: Page) -> None:
    """The page itself follows what Syncline makes of it; moved out of the way, it is saved without an answer."""
    firm.in_crm("Quarterly review with Harbour Cycles", at(9))
    firm.connect("maya")
    outlook.goto(f"/stand-in/new?mailbox={MAYA}&day={at(0):%Y-%m-%d}")
    outlook.get_by_label("Subject").fill("Sketch the stand")
    assert outlook.get_by_label("Time", exact=True).input_value() == "10:00"
    outlook.get_by_role("button", name="Save").click()
    standing = outlook.locator(".standing", has_text="Syncline: not seen yet")
    expect(standing).to_be_visible()
    assert (standing.bounding_box() or {"width": 0})["width"] > 50
    firm.app.worker.run_now([firm.mailbox("maya")])
    (question,) = firm.questions()

    outlook.get_by_role("link", name="Refresh").click()
    expect(outlook.get_by_role("link", name="waits for an answer")).to_have_attribute("href", firm.url + question.url)
    outlook.get_by_role("link", name="Sketch the stand").click()
    outlook.get_by_label("Time", exact=True).fill("14:00")
    outlook.get_by_label("Until").fill("15:00")
    outlook.get_by_role("button", name="Save").click()
    firm.app.worker.run_now([firm.mailbox("maya")])
    outlook.get_by_role("link", name="Refresh").click()
    expect(outlook.get_by_text("Syncline: in the CRM")).to_be_visible()
    assert firm.questions() == []
    outlook.get_by_role("link", name="Sketch the stand").click()
    outlook.get_by_role("button", name="Delete").click()
    expect(outlook.get_by_role("status")).to_contain_text("Deleted.")
    expect(outlook.get_by_role("link", name="Sketch the stand")).to_have_count(0)
