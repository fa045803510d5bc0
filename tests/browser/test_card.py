"""The card in a real browser: keyboard and focus, without script, narrow, printed, forced colours, and in trouble."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from syncline.errors import SyncError
from tests.browser.firm import DOMAIN, PASSWORD, Event, Firm, at

pytestmark = [pytest.mark.browser, pytest.mark.emulator]
ROOT = Path(__file__).resolve().parents[2]
AXE = (ROOT / "tests" / "vendor" / "axe.min.js").read_text(encoding="utf-8")
RUN_AXE = "() => axe.run().then(found => found.violations.map(v => [v.id, v.nodes.map(n => n.html)]))"
SCHEMES = [(360, "light"), (360, "dark"), (1440, "light"), (1440, "dark")]
DEMO = "Product demo for Alpen Sport"
PATIENCE_MS = 15_000


def two_questions(firm: Firm) -> str:
    """Let two items of Maya's mailbox wait; return the address of the first question."""
    firm.in_crm("Quarterly review with Harbour Cycles", at(9))
    firm.in_crm("Call with a customer", at(9, day=2))
    guests = tuple(f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{name}@alpen.example" for name in ("anna", "ben"))
    organizer = f"ORGANIZER:mailto:maya@{DOMAIN}"
    firm.in_outlook(
        "maya",
        Event(subject=DEMO, start=at(9.5), more=("LOCATION:Showroom", organizer, *guests)),
        Event(subject="Fitting with a guest", start=at(9.5, day=2)),
    )
    firm.connect("maya")
    firm.until(lambda: len(firm.questions()) == 2)
    return next(question.url for question in firm.questions() if question.subject == DEMO)


def card_of(page: Page, subject: str) -> Locator:
    """Return the card of a subject."""
    return page.get_by_role("article", name=subject)


def violations(page: Page) -> object:
    """Return what axe finds on a page."""
    page.evaluate(AXE)
    return page.evaluate(RUN_AXE)


def test_an_answer_on_the_wall_folds_its_card_and_keeps_the_focus(firm: Firm, sign_in: Callable[..., Page]) -> None:
    """With the keyboard alone: the page stays, the card becomes a line that has the focus, the badge goes down."""
    two_questions(firm)
    page = sign_in("maya", viewport={"width": 1280, "height": 700})
    page.evaluate("window.stayed = true")
    card = card_of(page, "Fitting with a guest")
    card.get_by_role("button", name="Yes", exact=True).focus()
    page.keyboard.press("Enter")

    expect(card).to_contain_text("Saved", timeout=PATIENCE_MS)
    expect(card).to_contain_text("by Maya Lind")
    expect(card.locator(".state")).to_be_focused()
    expect(card.get_by_role("button")).to_have_count(0)
    expect(card).not_to_contain_text("A scheduling conflict was found")
    box = card.bounding_box()
    assert box is not None and box["height"] < 120 and page.evaluate("scrollY") > 0
    assert page.evaluate("window.stayed") is True
    expect(page.locator(".sections .counted-alerts")).to_contain_text("1")
    expect(card_of(page, DEMO).get_by_role("button", name="Yes", exact=True)).to_be_enabled()


def test_kept_out_on_the_wall_can_be_changed_in_its_line(firm: Firm, sign_in: Callable[..., Page]) -> None:
    """No leaves a line with Change to Yes, which saves the appointment after all."""
    two_questions(firm)
    page = sign_in("maya")
    card = card_of(page, DEMO)
    card.get_by_role("button", name="No", exact=True).click()
    expect(card).to_contain_text("Kept out")
    card.get_by_role("button", name="Change to Yes").click()

    expect(card).to_contain_text("Saved", timeout=PATIENCE_MS)
    expect(card.get_by_role("link", name="Open in Calendar")).to_be_visible()


def test_without_script_the_same_card_is_answered_by_its_form(firm: Firm, chromium: Browser) -> None:
    """Sign-in, question, Yes and the outcome work with script switched off; the page loads itself again."""
    url = two_questions(firm)
    context = chromium.new_context(base_url=firm.url, java_script_enabled=False)
    page = context.new_page()
    page.goto(url)
    page.get_by_label("User name").fill("maya")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("button", name="Copy details")).to_have_count(0)
    page.get_by_role("button", name="Yes", exact=True).click()

    assert page.url.endswith(url)
    expect(page.get_by_text("Saved")).to_be_visible(timeout=PATIENCE_MS)
    context.close()


@pytest.mark.parametrize(("width", "theme"), SCHEMES)
def test_every_state_is_accessible(firm: Firm, sign_in: Callable[..., Page], width: int, theme: str) -> None:
    """Waiting with its details open, refused, kept out, saved and folded: axe finds nothing, nothing overflows."""
    url = two_questions(firm)
    page = sign_in("maya", viewport={"width": width, "height": 800}, color_scheme=theme)
    found: list[object] = []

    def look(what: str) -> None:
        found.extend((what, each) for each in violations(page))  # type: ignore[attr-defined]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append((what, "scrolls sideways"))

    card_of(page, "Fitting with a guest").get_by_role("button", name="No", exact=True).click()
    expect(card_of(page, "Fitting with a guest")).to_contain_text("Kept out")
    look("folded")
    page.goto(url)
    page.get_by_text("Why am I asked?").click()
    look("waiting")
    page.locator('input[name="version"]').first.evaluate("it => { it.value = '0' }")
    page.get_by_role("button", name="Yes", exact=True).click()
    expect(page.get_by_role("alert").first).to_contain_text("Please look again")
    look("refused")
    page.get_by_role("button", name="Yes", exact=True).click()
    expect(page.get_by_text("Saved")).to_be_visible(timeout=PATIENCE_MS)
    look("saved")
    page.goto("/alerts?state=kept_out")
    look("kept out")
    assert found == []


def test_narrow_the_picture_follows_the_list_and_the_answers_come_last(
    firm: Firm, sign_in: Callable[..., Page]
) -> None:
    """At 360 px everything stands in one column; the answers stay in reach only where one card is alone."""
    url = two_questions(firm)
    page = sign_in("maya", viewport={"width": 360, "height": 740}, has_touch=True)
    card = card_of(page, DEMO)
    places = [card.locator(name).first.bounding_box() for name in (".ways", ".picture", ".answers")]
    assert all(place is not None for place in places)
    tops = [place["y"] for place in places if place is not None]
    assert tops == sorted(tops)
    picture = places[1]
    assert picture is not None and picture["width"] > 270
    assert card.locator(".answering").evaluate("it => getComputedStyle(it).position") == "static"

    page.goto(url)
    assert page.locator(".answering").evaluate("it => getComputedStyle(it).position") == "sticky"
    yes = page.get_by_role("button", name="Yes", exact=True).bounding_box()
    assert yes is not None and yes["y"] + yes["height"] < 740 and yes["width"] > 270


def test_narrow_the_answers_hide_nothing_of_a_series(firm: Firm, sign_in: Callable[..., Page]) -> None:
    """Three answers are higher than what a phone can spare: they stay at the end, and the question is read first."""
    firm.in_crm("Bike fair, day 1", at(8, day=16), hours=9)
    firm.in_outlook("maya", Event(subject="Pipeline call", start=at(8, day=2), more=("RRULE:FREQ=WEEKLY;COUNT=12",)))
    firm.connect("maya")
    firm.until(lambda: len(firm.questions()) == 1)
    page = sign_in("maya", viewport={"width": 360, "height": 740})
    page.goto(firm.questions()[0].url)

    expect(page.get_by_role("button", name="Save without the overlapping dates")).to_have_count(1)
    assert page.locator(".answering").evaluate("it => getComputedStyle(it).position") == "static"
    sentence = page.locator(".sentence").bounding_box()
    assert sentence is not None and sentence["y"] + sentence["height"] < 740


def test_printed_the_card_has_no_buttons(firm: Firm, sign_in: Callable[..., Page]) -> None:
    """On paper stand the question, what is in the way and the picture."""
    url = two_questions(firm)
    page = sign_in("maya")
    page.goto(url)
    page.emulate_media(media="print")

    expect(page.get_by_role("button", name="Yes", exact=True)).to_be_hidden()
    expect(page.get_by_text("Or change it in Outlook")).to_be_hidden()
    expect(page.get_by_role("heading", name=DEMO)).to_be_visible()
    expect(page.locator(".picture")).to_be_visible()
    expect(page.get_by_text("In the way (1)")).to_be_visible()


def test_forced_colours_keep_outline_and_pattern(firm: Firm, sign_in: Callable[..., Page]) -> None:
    """Without colours of its own the waiting item is still dashed and hatched, the overlap crossed, both outlined."""
    url = two_questions(firm)
    page = sign_in("maya", forced_colors="active")
    page.goto(url)
    waiting, standing = page.locator(".picture-waiting").first, page.locator(".picture-crm").first

    assert waiting.evaluate("it => getComputedStyle(it).strokeDasharray") != "none"
    assert "hatch" in (waiting.get_attribute("fill") or "")
    for shape in (waiting, standing):
        assert shape.evaluate("it => getComputedStyle(it).stroke") != "none"
    assert page.locator(".picture-cross").first.evaluate("it => getComputedStyle(it).stroke") == "rgb(0, 0, 0)"
    assert violations(page) == []


def test_an_answer_that_was_not_sent_says_so(firm: Firm, sign_in: Callable[..., Page]) -> None:
    """Without a connection the card stays and says so; the same button works once it is back."""
    url = two_questions(firm)
    page = sign_in("maya")
    page.goto(url)
    page.context.set_offline(True)
    page.get_by_role("button", name="Yes", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text("Your answer was not sent. Try again")
    expect(page.get_by_role("button", name="Yes", exact=True)).to_be_enabled()
    page.context.set_offline(False)
    page.get_by_role("button", name="Yes", exact=True).click()

    expect(page.get_by_text("Saved")).to_be_visible(timeout=PATIENCE_MS)


def test_the_card_stays_answerable_while_the_crm_is_away(
    firm: Firm, sign_in: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The CRM goes away while a card is open: Yes is taken and says that it is tried again."""
    url = two_questions(firm)
    page = sign_in("maya")
    page.goto(url)

    def unavailable(*_: object, **__: object) -> None:
        raise SyncError("CrmUnavailable", crm="Syncline CRM", detail="connection refused")

    for name in ("validate", "read", "users", "book", "reschedule", "find", "changes"):
        monkeypatch.setattr(type(firm.app.crm), name, unavailable)
    page.reload()
    expect(page.get_by_text("What is in the way cannot be shown right now.")).to_be_visible()
    page.get_by_role("button", name="Yes", exact=True).click()

    expect(page.locator(".state")).to_contain_text(
        "Answered Yes. The CRM cannot be reached; next try", timeout=PATIENCE_MS
    )


def test_a_session_that_ends_in_the_middle_leads_back_to_the_card(firm: Firm, sign_in: Callable[..., Page]) -> None:
    """The answer waits for sign-in: nothing is lost and nothing was done."""
    url = two_questions(firm)
    page = sign_in("maya")
    page.context.clear_cookies()
    card_of(page, DEMO).get_by_role("button", name="Yes", exact=True).click()
    page.get_by_role("link", name="Sign in to answer").click()
    page.get_by_label("User name").fill("maya")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()

    page.wait_for_url(f"**{url}")
    expect(card_of(page, DEMO).get_by_role("button", name="Yes", exact=True)).to_be_enabled()
    assert len(firm.questions()) == 2


def test_of_two_people_the_second_learns_of_the_first(firm: Firm, sign_in: Callable[..., Page]) -> None:
    """Both have the card open; one answers, the other's answer changes nothing and names the first."""
    url = two_questions(firm)
    ines, maya = sign_in("ines"), sign_in("maya")
    ines.goto(url)
    maya.goto(url)
    ines.get_by_role("button", name="Yes", exact=True).click()
    expect(ines.get_by_text("Saved")).to_be_visible(timeout=PATIENCE_MS)
    maya.get_by_role("button", name="No", exact=True).click()

    expect(maya.get_by_role("alert")).to_contain_text("Ines Brandt answered Yes at")
    expect(maya.locator(".state")).to_contain_text("by Ines Brandt")


def test_the_details_are_copied(firm: Firm, sign_in: Callable[..., Page]) -> None:
    """Copy details puts code and number into the clipboard; Learn more leads to what the code means."""
    url = two_questions(firm)
    page = sign_in("maya", permissions=["clipboard-read", "clipboard-write"])
    page.goto(url)
    page.get_by_text("Why am I asked?").click()
    page.get_by_role("button", name="Copy details").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()

    assert "ExchangeSyncSchedulingConflictsError" in page.evaluate("navigator.clipboard.readText()")
    page.get_by_role("link", name="Learn more").click()
    expect(page.get_by_text("ExchangeSyncSchedulingConflictsError").first).to_be_visible()
