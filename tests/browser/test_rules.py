"""Answer rules and my settings in a real browser: used as people use them, in both themes and widths."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from syncline.desk import rules
from syncline.desk.reading import OPERATOR
from syncline.desk.rules import NewRule
from tests.browser.firm import DOMAIN, Event, Firm, at
from tests.browser.test_looks import AXE, LOOKS, RUN_AXE

pytestmark = [pytest.mark.browser, pytest.mark.emulator]
PATH = "/settings/rules"


def the_scene(firm: Firm) -> None:
    """Let two appointments of Maya's wait, one of them from a customer."""
    firm.in_crm("Quarterly review with Harbour Cycles", at(9))
    kim = ("ORGANIZER:mailto:kim@alpen.example", f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:maya@{DOMAIN}")
    firm.in_outlook(
        "maya",
        Event(subject="Product demo for Alpen Sport", start=at(9.5)),
        Event(subject="Visit of Alpen Sport", start=at(9.25), more=kim),
    )
    firm.connect("maya")
    firm.until(lambda: len(firm.questions()) == 2)


def look(page: Page, name: str, folder: Path) -> list[object]:
    """Return what is wrong with how the page looks now, in every theme and width."""
    wrong: list[object] = []
    for width, height, scheme in LOOKS:
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wrong.append((name, width, "scrolls sideways"))
        page.evaluate(AXE)
        wrong += [(name, width, scheme, found) for found in page.evaluate(RUN_AXE)]
    return wrong


def test_a_rule_from_the_first_look_to_the_answer(firm: Firm, sign_in: Callable[..., Page], tmp_path: Path) -> None:
    """Maya looks at what a rule would have answered, saves it, and lets it answer what waits; no page is at fault."""
    the_scene(firm)
    rules.add(firm.app, OPERATOR, NewRule(answer="no", name="Trips", category="Travel", all_day=True))
    page = sign_in("maya")
    page.goto(PATH)
    page.get_by_label("Organised by", exact=True).select_option("named")
    page.get_by_label("This address or domain", exact=True).fill("alpen.example")
    page.get_by_role("button", name="Show what it would have answered").click()
    expect(page.get_by_text("It would have saved 1 of 2 appointments")).to_be_visible()
    wrong = look(page, "rules-told", tmp_path)

    page.get_by_role("button", name="Save this rule").click()
    expect(page.get_by_text("1 open question matches it now.")).to_be_visible()
    wrong += look(page, "rules-made", tmp_path)
    page.get_by_role("button", name="Answer it too: Yes").click()
    expect(page.get_by_text("Your answers are being carried out.")).to_be_visible()
    firm.until(lambda: [each.subject for each in firm.questions()] == ["Product demo for Alpen Sport"])
    assert wrong == []


def test_my_settings_speak_german_at_once(firm: Firm, sign_in: Callable[..., Page], tmp_path: Path) -> None:
    """Another language and zone hold from the next page on; the page is at fault in no theme or width."""
    page = sign_in("maya")
    page.goto("/settings/me")
    wrong = look(page, "me", tmp_path)
    page.get_by_label("Time zone", exact=True).select_option("Europe/Copenhagen")
    page.locator("#language").select_option("de")
    page.get_by_label("A mail for each question").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.locator("#time-zone")).to_have_value("Europe/Copenhagen")
    expect(page.locator("#mails-each")).to_be_checked()
    assert wrong == []
