"""People at the wall of alerts: keyboard, answering many, two at once, without script, narrow, and axe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from syncline.desk import alerts
from syncline.desk.reading import OPERATOR
from tests.browser.firm import Event, Firm, at
from tests.browser.test_looks import AXE, LOOKS, RUN_AXE

pytestmark = [pytest.mark.browser, pytest.mark.emulator]
WEEKLY = "RRULE:FREQ=WEEKLY;COUNT=12"


def waiting(firm: Firm, many: int) -> None:
    """Let so many items of Maya's mailbox wait, two a day, and connect it."""
    places = [(day, hour) for day in range(1, 9) for hour in (9, 13)][:many]
    for day, hour in places:
        firm.in_crm(f"Row {day} {hour}", at(hour, day=day))
    items = [Event(subject=f"Visit {day} at {hour}", start=at(hour + 0.5, day=day)) for day, hour in places]
    firm.in_outlook("maya", *items)
    firm.connect("maya")
    firm.until(lambda: len(firm.questions()) == many)


def test_the_keyboard_goes_from_card_to_card_and_never_answers(firm: Firm, sign_in: Callable[..., Page]) -> None:
    """J and k move the focus; letters in a field are letters; y and n do nothing."""
    waiting(firm, 3)
    page = sign_in("maya")
    page.goto("/alerts")
    cards = page.locator("[data-wall] article.card")
    for key, place in (("j", 0), ("j", 1), ("j", 2), ("j", 2), ("k", 1)):
        page.keyboard.press(key)
        expect(cards.nth(place)).to_be_focused()
    for key in "yn":
        page.keyboard.press(key)
    page.keyboard.press("Tab")
    page.get_by_text("Search and filter").first.click()
    page.get_by_label("Subject").fill("")
    page.get_by_label("Subject").press("j")

    expect(page.get_by_label("Subject")).to_have_value("j")
    assert len(firm.questions()) == 3


def test_ticked_questions_are_answered_and_taken_back(firm: Firm, sign_in: Callable[..., Page]) -> None:
    """Tick, look at number and consequence, answer; what was kept out stands under Kept out."""
    waiting(firm, 4)
    page = sign_in("maya")
    page.goto("/alerts")
    page.get_by_role("link", name="List", exact=True).click()
    page.get_by_role("link", name="Select all on this page").click()
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(4)
    page.get_by_role("checkbox").first.uncheck()
    page.get_by_role("button", name="Keep selected out").click()
    expect(page.get_by_role("button", name="Keep all out")).to_have_accessible_description(
        "Keep 3 appointments out of Syncline CRM. They stay in Outlook, no mail is sent. "
        "You can change your mind under Failures, Kept out."
    )
    page.get_by_role("button", name="Keep all out").click()

    expect(page.get_by_role("status").first).to_contain_text("3 answered.")
    assert len(firm.questions()) == 1
    page.goto("/alerts?state=kept_out")
    expect(page.get_by_role("button", name="Change to Yes")).to_have_count(3)


def test_two_people_answer_at_once(firm: Firm, sign_in: Callable[..., Page]) -> None:
    """Who comes second is told who was first, and answers the rest."""
    waiting(firm, 4)
    page = sign_in("ines")
    page.goto(f"/alerts/together?mailbox={firm.mailbox('maya')}")
    first = firm.questions()[-1]
    alerts.answer(firm.app, OPERATOR, first.id, "no")
    page.get_by_role("button", name="Save all anyway").click()

    expect(page.get_by_role("status").first).to_contain_text("3 answered; 1 was answered by Command line meanwhile.")
    firm.until(lambda: firm.questions() == [])


def test_many_are_answered_without_script(firm: Firm, sign_in: Callable[..., Page]) -> None:
    """Filters, ticking a whole page, the look and the answer are links and forms."""
    waiting(firm, 7)
    page = sign_in("maya", java_script_enabled=False)
    page.goto("/alerts")
    expect(page.get_by_role("heading", name="7 of 7 appointments overlap others")).to_be_visible()
    expect(page.get_by_role("article").locator("svg[role=img]")).to_have_count(7)
    page.get_by_text("Search and filter").first.click()
    page.get_by_label("Subject").fill("at 13")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_text("3 questions wait for an answer.")).to_be_visible()
    page.get_by_role("link", name="List", exact=True).click()
    page.get_by_role("link", name="Select all on this page").click()
    page.get_by_role("button", name="Save selected anyway").click()
    page.get_by_role("button", name="Save all anyway").click()

    expect(page.get_by_role("status").first).to_contain_text("3 answered.")
    assert len(firm.questions()) == 4


def test_a_card_folds_where_it_stands(firm: Firm, sign_in: Callable[..., Page]) -> None:
    """An answer on the wall leaves the others and the place alone."""
    waiting(firm, 3)
    page = sign_in("maya")
    page.goto("/alerts")
    page.locator("[data-wall] article.card").nth(1).get_by_role("button", name="No", exact=True).click()
    expect(page.locator("[data-wall] article.card").nth(1)).to_contain_text("Kept out")

    expect(page.get_by_role("button", name="Yes", exact=True)).to_have_count(2)
    assert page.url.endswith("/alerts")


def busy(firm: Firm) -> None:
    """Fill the wall with a group, cards of another mailbox, and what is over."""
    waiting(firm, 8)
    firm.in_crm("Bike fair", at(8, day=16), hours=9, organizer="jonas")
    firm.in_crm("Call of Jonas", at(15, day=3), organizer="jonas")
    firm.in_crm("Lunch of Jonas", at(11, day=3), organizer="jonas")
    firm.in_crm("Tea of Jonas", at(17, day=3), organizer="jonas")
    firm.in_outlook(
        "jonas",
        Event(subject="Pipeline call", start=at(8, day=2), more=(WEEKLY,)),
        Event(subject="Site visit Lindqvist", start=at(15, day=3)),
        Event(subject="Webinar: batteries", start=at(11, day=3)),
        Event(subject="Doctor", start=at(17, day=3), more=("CLASS:PRIVATE",)),
    )
    firm.connect("jonas")
    firm.until(lambda: len(firm.questions()) == 12)
    answers = {"Site visit Lindqvist": "yes", "Webinar: batteries": "no"}
    for question in firm.questions():
        if question.subject in answers:
            alerts.answer(firm.app, OPERATOR, question.id, answers[question.subject])
    firm.until(lambda: all(each.outcome != "saving" for each in alerts.listing(firm.app, OPERATOR)))


def test_the_wall_is_accessible_and_fits(firm: Firm, sign_in: Callable[..., Page], tmp_path: Path) -> None:
    """In light and dark, narrow and wide, axe finds no violation on any form of the wall, and none scrolls sideways."""
    busy(firm)
    jonas = next(each for each in firm.questions() if each.mailbox.startswith("jonas"))
    paths = {
        "wall": "/alerts",
        "list": "/alerts?view=list&select=page",
        "filtered": "/alerts?q=visit&sort=newest",
        "nothing": "/alerts?q=zzz",
        "kept-out": "/alerts?state=kept_out",
        "everything": "/alerts?state=any&view=list",
        "together": f"/alerts/together?mailbox={firm.mailbox('maya')}",
        "like": f"/alerts/together?person={jonas.id}",
        "mailbox": f"/mailboxes/{firm.mailbox('maya')}?tab=alerts",
    }
    wrong: list[object] = []
    for width, height, theme in LOOKS:
        page = sign_in("ines", viewport={"width": width, "height": height}, color_scheme=theme)
        for name, path in paths.items():
            page.goto(path)
            page.evaluate(AXE)
            wrong += [(name, width, theme, each) for each in page.evaluate(RUN_AXE)]
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wrong.append((name, width, "scrolls sideways"))
            page.screenshot(path=tmp_path / f"{name}-{width}-{theme}.png", full_page=True)
    assert wrong == []
