"""People at the pages: keyboard, touch, roles, the calendar and the first steps of an administrator."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.firm import DOMAIN, Event, Firm, at

pytestmark = [pytest.mark.browser, pytest.mark.emulator]
REVIEW = "Quarterly review with Harbour Cycles"
DEMO = "Product demo for Alpen Sport"


def the_scene(firm: Firm) -> None:
    """Let an item of Maya's mailbox overlap an appointment of Jonas's."""
    firm.in_crm(REVIEW, at(9), organizer="maya", required=["jonas"])
    firm.in_crm("Salary talk", at(9), organizer="jonas")
    guest = f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:jonas@{DOMAIN}"
    organizer = f"ORGANIZER:mailto:maya@{DOMAIN}"
    firm.in_outlook("maya", Event(subject=DEMO, start=at(9.5), more=(organizer, guest)))
    firm.connect("maya")


def test_a_question_is_answered_with_the_keyboard_alone(firm: Firm, sign_in: Callable[..., Page]) -> None:
    """Tab comes to Yes, then to No; each says what it does; Enter answers."""
    the_scene(firm)
    page = sign_in("maya")
    yes = page.get_by_role("button", name="Yes", exact=True)
    no = page.get_by_role("button", name="No", exact=True)
    expect(yes).to_have_accessible_description(
        "Save it in Syncline CRM beside the others. Nothing is moved, nothing changes in Outlook, no mail is sent."
    )
    for _ in range(40):
        page.keyboard.press("Tab")
        if yes.evaluate("it => it === document.activeElement"):
            break
    expect(yes).to_be_focused()
    page.keyboard.press("Tab")
    expect(no).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.get_by_text("Kept out").first).to_be_visible()


def test_answers_can_be_touched_on_a_narrow_screen(firm: Firm, sign_in: Callable[..., Page]) -> None:
    """At 360 px both answers are full width, at least 44 px high, and below the picture."""
    the_scene(firm)
    page = sign_in("maya", viewport={"width": 360, "height": 740}, has_touch=True)
    picture = page.locator("svg.picture").first.bounding_box()
    boxes = [page.get_by_role("button", name=name, exact=True).bounding_box() for name in ("Yes", "No")]

    assert picture is not None
    for box in boxes:
        assert box is not None
        assert box["height"] >= 44 and box["width"] > 280 and box["y"] > picture["y"] + picture["height"]


def test_a_colleague_sees_no_question_and_a_user_no_foreign_subject(firm: Firm, sign_in: Callable[..., Page]) -> None:
    """Jonas has no question; Maya reads her own clash and only the times of his; an administrator reads both."""
    the_scene(firm)
    question = firm.questions()[0]
    jonas = sign_in("jonas")
    expect(jonas.get_by_text("No question waits.")).to_be_visible()
    maya = sign_in("maya")
    expect(maya.get_by_role("article")).to_contain_text(REVIEW)
    expect(maya.get_by_role("article")).not_to_contain_text("Salary talk")
    ines = sign_in("ines")
    ines.goto(question.url)
    expect(ines.get_by_role("article")).to_contain_text("Salary talk")


def test_a_mailbox_from_its_address_to_the_first_sync(firm: Firm, sign_in: Callable[..., Page]) -> None:
    """Approve, Test and enable, and the items of the mailbox stand in the calendar."""
    firm.in_outlook("priya", Event(subject="Price round", start=at(9)))
    page = sign_in("ines")
    page.get_by_role("link", name="Mailboxes", exact=True).click()
    row = page.get_by_role("row", name=f"priya@{DOMAIN}")
    expect(row).to_contain_text("Needs approval")
    row.get_by_role("link", name=f"priya@{DOMAIN}").click()
    page.get_by_role("button", name="Approve").click()
    page.get_by_role("button", name="Test and enable").click()
    expect(page.get_by_role("status").first).to_contain_text("The test succeeded")
    firm.until(lambda: firm.app.store.mailbox(firm.mailbox("priya")).last_sync is not None)

    page.goto(f"/calendar?week={at(0):%Y-%m-%d}&user=priya")
    expect(page.get_by_role("link", name="Price round")).to_be_visible()


def test_an_entry_that_would_double_book_is_told_before_it_is_saved(firm: Firm, sign_in: Callable[..., Page]) -> None:
    """The calendar's form names what is in the way and offers Save anyway."""
    firm.in_crm(REVIEW, at(9))
    page = sign_in("maya")
    page.goto(f"/calendar/new?day={at(0):%Y-%m-%d}")
    page.get_by_label("Subject").fill("Fitting")
    page.get_by_label("Start").fill(f"{at(0):%Y-%m-%d}T10:30")
    page.get_by_label("End").fill(f"{at(0):%Y-%m-%d}T11:30")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text(REVIEW)
    page.get_by_role("button", name="Save anyway").click()

    entry = page.locator(".ec-event", has=page.get_by_role("link", name="Fitting"))
    expect(entry).to_contain_text("Double-booked")
