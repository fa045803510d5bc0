"""The set-up in a browser: from nothing to the first synchronized mailbox, on a real server, with what goes wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import text

from tests.browser.firm import DOMAIN, Event, Firm, at

pytestmark = [pytest.mark.browser, pytest.mark.emulator]


def test_an_empty_installation_is_set_up_step_by_step(firm: Firm, sign_in: Callable[..., Page]) -> None:
    """Server, mailbox, test (failing first), preview, first sync: each a form, none lost by leaving."""
    with firm.app.store.writing() as connection:
        connection.execute(text("DELETE FROM mailbox"))
        connection.execute(text("DELETE FROM profile"))
    firm.in_crm("Quarterly review with Harbour Cycles", at(9))
    demo = Event(subject="Product demo for Alpen Sport", start=at(9.5))
    firm.in_outlook("maya", demo, Event(subject="Lunch", start=at(12)))
    page = sign_in("ines")

    page.goto("/mailboxes")
    page.get_by_role("link", name="Start the set-up").click()
    page.get_by_label("Address of Exchange Web Services").fill(firm.exchange.ews_url)
    page.get_by_label("User name of the service account").fill("svc")
    page.get_by_label("Password").fill("wrong")
    page.get_by_text("More", exact=True).click()
    page.get_by_label("Authentication").select_option("basic")
    page.get_by_role("button", name="Save and go on").click()

    page.get_by_label("Address of the mailbox").fill(f"maya@{DOMAIN}")
    page.get_by_label("User of Syncline CRM").select_option("maya")
    page.get_by_role("button", name="Save and go on").click()

    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Sign-in refused")
    expect(page.get_by_text("Not done: Signed in")).to_be_visible()
    firm.app.store.set_password("profile", firm.app.store.profiles()[0].id, "secret")
    page.goto("/start")
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("The test succeeded.")
    assert not firm.app.store.mailbox_by_address(f"maya@{DOMAIN}").enabled

    page.goto("/start")
    page.get_by_role("button", name="Preview", exact=True).click()
    expect(page.get_by_role("heading", name="This would happen")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("would wait for an answer")
    expect(page.get_by_role("main")).to_contain_text("Product demo for Alpen Sport")
    assert [entry.subject for entry in firm.entries()] == ["Quarterly review with Harbour Cycles"]

    page.get_by_role("button", name="Enable and begin the first sync").click()
    expect(
        page.get_by_role("heading", name="The first sync is done").or_(page.get_by_role("heading", name="It runs"))
    ).to_be_visible(timeout=30_000)
    page.get_by_role("link", name="See what waits").click()
    expect(page.get_by_role("article").get_by_role("button", name="Yes", exact=True)).to_be_visible()


def test_a_refused_mailbox_is_repaired_where_it_says_so(firm: Firm, sign_in: Callable[..., Page]) -> None:
    """A disabled mailbox says what to do; another password, tested and enabled in one go, brings it back."""
    profile = firm.app.store.profiles()[0]
    firm.connect("maya")
    firm.app.store.set_password("profile", profile.id, "changed meanwhile")
    page = sign_in("ines")
    page.goto(f"/mailboxes/{firm.mailbox('maya')}")
    page.get_by_role("button", name="Test and enable").click()
    expect(page.get_by_role("alert")).to_contain_text("Sign-in refused")
    expect(page.get_by_role("link", name="Learn more")).to_be_visible()

    page.get_by_label("Password").fill("secret")
    page.get_by_role("button", name="Save, test and enable").click()

    expect(page.get_by_role("status").first).to_contain_text("The test succeeded")
    assert firm.app.store.mailbox_by_address(f"maya@{DOMAIN}").enabled
