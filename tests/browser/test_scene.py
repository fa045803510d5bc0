"""The scene of issue and README in a real browser: a question, Yes, No, and what becomes of the appointment."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.firm import Event, Firm, at

pytestmark = [pytest.mark.browser, pytest.mark.emulator]
REVIEW = "Quarterly review with Harbour Cycles"
DEMO = "Product demo for Alpen Sport"
SENTENCE = (
    f'A scheduling conflict was found when saving appointment "{DEMO}" from Exchange to Syncline CRM because Maya Lind '
    "is unavailable at this time. Do you want to ignore the conflict and save anyway?"
)


def the_scene(firm: Firm) -> None:
    """Let an item of Maya's mailbox overlap an appointment of hers in the CRM."""
    firm.in_crm(REVIEW, at(9))
    firm.in_outlook("maya", Event(subject=DEMO, start=at(9.5), more=("LOCATION:Showroom",)))
    firm.connect("maya")


def to_the_question(page: Page) -> None:
    """Go from the first page over Mailboxes to the question on the mailbox form."""
    page.get_by_role("link", name="Mailboxes", exact=True).first.click()
    page.get_by_role("link", name="maya@fjordbikes.example").click()
    page.get_by_role("link", name="Alerts", exact=True).last.click()
    expect(page.get_by_text(SENTENCE)).to_be_visible()
    expect(page.get_by_role("article").get_by_text(REVIEW).first).to_be_visible()


def test_yes_saves_the_appointment_beside_the_other(firm: Firm, sign_in: Callable[..., Page]) -> None:
    """After Yes the appointment stands in the CRM calendar, double-booked, and its failure row is gone."""
    the_scene(firm)
    page = sign_in("ines")
    page.get_by_role("link", name="Failures", exact=True).click()
    expect(page.get_by_role("heading", name="Server-Side Synchronization Failures")).to_be_visible()
    expect(page.get_by_role("row", name=DEMO)).to_contain_text("ExchangeSyncSchedulingConflictsError")
    to_the_question(page)

    group = page.get_by_role("group", name=DEMO)
    group.get_by_role("button", name="Yes", exact=True).click()
    expect(page.get_by_text("Saved")).to_be_visible(timeout=10_000)

    page.get_by_role("link", name="Open in Calendar").click()
    expect(page.get_by_role("heading", name="Calendar: what Syncline CRM holds")).to_be_visible()
    entry = page.locator(".ec-event", has=page.get_by_role("link", name=DEMO))
    expect(entry).to_contain_text("Double-booked")
    expect(entry).to_contain_text("10:30–11:30")
    page.get_by_role("link", name="Failures", exact=True).click()
    expect(page.get_by_role("row", name=DEMO)).to_have_count(0)


def test_no_keeps_it_out_until_the_answer_is_changed(firm: Firm, sign_in: Callable[..., Page]) -> None:
    """After No the appointment is in no calendar and stands under Kept out, where Change to Yes saves it after all."""
    the_scene(firm)
    page = sign_in("maya")
    page.get_by_role("button", name="No", exact=True).click()
    expect(page.get_by_text("Kept out").first).to_be_visible()
    page.get_by_role("link", name="Calendar", exact=True).click()
    page.goto(f"/calendar?week={at(0):%Y-%m-%d}")
    expect(page.get_by_role("link", name=REVIEW)).to_be_visible()
    expect(page.get_by_role("link", name=DEMO)).to_have_count(0)

    page.get_by_role("link", name="Failures", exact=True).click()
    expect(page.get_by_role("row", name=DEMO)).to_have_count(0)
    page.get_by_role("link", name="Kept out", exact=True).click()
    page.get_by_role("row", name=DEMO).get_by_role("link", name="Change to Yes").click()
    page.get_by_role("button", name="Change to Yes").click()
    expect(page.get_by_text("Saved")).to_be_visible(timeout=10_000)
