"""The Calendar in a real browser: a grid where there is room, a list where there is not, and entries moved by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.firm import Event, Firm, at, monday

pytestmark = pytest.mark.browser

WIDE = {"width": 1440, "height": 1600}


@pytest.fixture
def week(firm: Firm) -> str:
    """Give a week with a double booking that waits, and return its address."""
    firm.in_crm("Quarterly review", at(10))
    firm.in_crm("Fitting", at(13, 2))
    firm.in_outlook("maya", Event(subject="Product demo", start=at(10.5)))
    firm.connect("maya")
    firm.until(lambda: len(firm.questions()) == 1)
    return f"/calendar?week={monday().date()}"


def drag(page: Page, subject: str, by: int) -> None:
    """Pull an entry of the grid down by so many pixels, at its foot where no link is."""
    box = page.locator(".ec-event", has_text=subject).bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2 + 8
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + by, steps=8)
    page.mouse.up()


def test_a_grid_shows_what_stands_and_what_waits(firm: Firm, week: str, sign_in: Callable[..., Page]) -> None:
    """The week is drawn with both; the list is one click away and says the same."""
    page = sign_in("maya", viewport=WIDE)
    page.goto(week)
    expect(page.locator(".ec-event", has_text="Quarterly review")).to_be_visible()
    waiting = page.locator(".ec-event.waits", has_text="Product demo")
    expect(waiting).to_contain_text("Waiting for an answer")
    expect(page.get_by_text("Quarterly review")).to_have_count(1)

    page.get_by_role("link", name="List").click()
    expect(page.locator(".entry", has_text="Product demo")).to_contain_text("Waits")
    page.get_by_role("link", name="Product demo").click()
    expect(page).to_have_url(f"{firm.url}/alerts/{firm.questions()[0].id}")


@pytest.mark.rule("A-09")
def test_a_draft_is_marked_in_grid_and_list(firm: Firm, week: str, sign_in: Callable[..., Page]) -> None:
    """What stays in the CRM for now says so in both views."""
    firm.in_crm("Offsite", at(9, 1), hours=3, draft=True)
    page = sign_in("maya", viewport=WIDE)
    page.goto(week)
    expect(page.locator(".ec-event.draft", has_text="Offsite")).to_contain_text("Draft")
    expect(page.locator(".ec-event.draft")).to_have_count(1)

    page.get_by_role("link", name="List").click()
    expect(page.locator(".entry.draft .pill", has_text="Draft")).to_be_visible()


def test_an_entry_is_dragged_to_another_time(firm: Firm, week: str, sign_in: Callable[..., Page]) -> None:
    """Letting go writes the new time, and the page says so."""
    page = sign_in("maya", viewport=WIDE)
    page.goto(week)
    drag(page, "Fitting", 112)
    expect(page.get_by_text("The appointment is moved.")).to_be_visible()
    fitting = next(each for each in firm.entries() if each.subject == "Fitting")
    assert (fitting.start, fitting.end) == (at(15, 2), at(16, 2))


def test_a_drag_onto_something_is_told_before_it_is_saved(firm: Firm, week: str, sign_in: Callable[..., Page]) -> None:
    """The form comes up with what is in the way; Save anyway saves it there, and nothing else does."""
    firm.in_crm("Lunch", at(15, 2))
    page = sign_in("maya", viewport=WIDE)
    page.goto(week)
    drag(page, "Fitting", 112)
    expect(page.get_by_role("heading", name="A scheduling conflict was found")).to_be_visible()
    assert next(each for each in firm.entries() if each.subject == "Fitting").start == at(13, 2)
    page.get_by_role("button", name="Save anyway").click()
    firm.until(lambda: any(each.subject == "Fitting" and each.start == at(15, 2) for each in firm.entries()))


def test_an_empty_stretch_becomes_a_new_appointment(firm: Firm, week: str, sign_in: Callable[..., Page]) -> None:
    """Clicking into the grid opens the form at that time."""
    page = sign_in("maya", viewport=WIDE)
    page.goto(week)
    box = page.locator(".ec-day").nth(4).bounding_box()
    page.locator("#calendar-grid").scroll_into_view_if_needed()
    assert box is not None
    body = page.locator(".ec-body .ec-day").nth(3).bounding_box() or box
    page.mouse.move(body["x"] + 20, body["y"] + 300)
    page.mouse.down()
    page.mouse.move(body["x"] + 20, body["y"] + 350, steps=4)
    page.mouse.up()
    page.wait_for_url("**/calendar/new?start=*")
    assert page.get_by_label("Start").input_value().startswith(f"{(monday() + timedelta(days=3)).date()}")


def test_a_narrow_screen_gets_the_list(firm: Firm, week: str, sign_in: Callable[..., Page]) -> None:
    """Below 600 px the days are a list, and nothing scrolls sideways."""
    page = sign_in("maya", viewport={"width": 360, "height": 800})
    page.goto(week)
    expect(page.locator(".entry", has_text="Quarterly review")).to_be_visible()
    assert page.locator(".ec-event").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
