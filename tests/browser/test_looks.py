"""Every page in both themes and widths: nothing scrolls sideways, and axe finds nothing to complain about."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from fastapi.routing import APIRoute, APIRouter
from playwright.sync_api import Browser, Page, expect
from starlette.routing import Match

from syncline.desk import answer_links
from syncline.web import pages
from tests.browser.firm import DOMAIN, PASSWORD, Event, Firm, at

pytestmark = [pytest.mark.browser, pytest.mark.emulator]
ROOT = Path(__file__).resolve().parents[2]
AXE = (ROOT / "tests" / "vendor" / "axe.min.js").read_text(encoding="utf-8")
RUN_AXE = "() => axe.run().then(found => found.violations.map(v => [v.id, v.nodes.map(n => n.html)]))"
LOOKS = [(360, 740, "light"), (360, 740, "dark"), (1440, 900, "light"), (1440, 900, "dark")]
SERIES = "RRULE:FREQ=WEEKLY;COUNT=12"


def busy_firm(firm: Firm) -> None:
    """Fill the firm with one of each kind of question."""
    firm.in_crm("Quarterly review with Harbour Cycles", at(9))
    firm.in_crm("Bike fair, day 1", at(8, day=16), hours=9, organizer="jonas")
    for name, hours in (("maya", 1), ("jonas", 2), ("priya", 1)):
        firm.in_crm(f"Call of {name.title()}", at(13, day=2), hours=hours, organizer=name)
    firm.in_crm("Call with a customer", at(8, day=3))
    firm.in_outlook(
        "maya",
        Event(subject="Product demo for Alpen Sport", start=at(9.5), more=("LOCATION:Showroom",)),
        Event(subject="Dentist for Maya", start=at(8.25, day=3), more=("CLASS:PRIVATE",)),
    )
    firm.in_outlook("jonas", Event(subject="Pipeline call", start=at(8, day=2), more=(SERIES,)))
    guests = tuple(f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{name}@{DOMAIN}" for name in ("maya", "jonas"))
    firm.in_outlook(
        "priya",
        Event(subject="Price round", start=at(13.5, day=2), more=(f"ORGANIZER:mailto:priya@{DOMAIN}", *guests)),
        Event(
            subject="Trip to Oslo", start=at(0, day=2), hours=48, all_day=True, more=("X-MICROSOFT-CDO-BUSYSTATUS:OOF",)
        ),
    )
    firm.connect("maya", "jonas", "priya")
    firm.until(lambda: len(firm.questions()) >= 5)


def pages_of(firm: Firm) -> list[str]:
    """Return the paths of all pages, every question alone among them."""
    box = f"/mailboxes/{firm.mailbox('maya')}"
    week = f"/calendar?week={at(0):%Y-%m-%d}"
    tabs = [f"{box}?tab={tab}" for tab in ("alerts", "failures", "statistics")]
    alone = [question.url for question in firm.questions()]
    together = f"/alerts/together?mailbox={firm.mailbox('maya')}"
    tokens = answer_links.make(firm.app, firm.questions()[0].id, firm.questions()[0].version, "maya").values()
    return [
        "/alerts",
        *alone,
        "/alerts/each?mailbox=maya@" + DOMAIN,
        together,
        *(f"/answer/{token}" for token in (*tokens, "forged")),
        "/mailboxes",
        box,
        *tabs,
        f"{box}/preview",
        "/failures",
        "/failures?state=kept_out",
        "/trash",
        "/trash?state=restored",
        week,
        f"{week}&view=day",
        f"{week}&view=list",
        "/calendar/new",
        f"/calendar/{firm.entries()[0].id}",
        "/explain?q=demo",
        "/email-configuration",
        "/start",
        "/start?step=mailbox",
        "/settings",
        "/settings/me",
        "/settings/rules",
        "/settings/filters",
        "/settings/mail",
        "/help",
        "/mailboxes/999",
    ]


NO_PAGES = {
    "/": "leads on",
    "/sign-in": "looked at by itself",
    "/alerts/{alert_id:int}/card": "a part of a page",
    "/mailboxes/{key}/progress": "a part of a page",
    "/help/{name}": "a guide",
    "/help/pictures/{name}": "a picture",
    "/calendar/{appointment_id}/files/{file_id}": "a file",
}


def test_no_page_is_left_out(firm: Firm) -> None:
    """Every address that shows a page is among those that are looked at."""
    busy_firm(firm)
    asked = [{"type": "http", "method": "GET", "path": urlsplit(path).path} for path in pages_of(firm)]
    routers = [part.router for part in vars(pages).values() if isinstance(getattr(part, "router", None), APIRouter)]
    routes = [route for part in routers for route in part.routes if isinstance(route, APIRoute)]
    known = [route for route in routes if "GET" in route.methods]
    met = {next(each.path for each in known if each.matches(scope)[0] is Match.FULL) for scope in asked}

    assert {route.path for route in known} - met == NO_PAGES.keys()


def test_every_page_is_accessible_and_fits(firm: Firm, sign_in: Callable[..., Page], tmp_path: Path) -> None:
    """In light and dark, narrow and wide, axe finds no violation and no page scrolls sideways."""
    busy_firm(firm)
    wrong: list[object] = []
    paths = pages_of(firm)
    for width, height, theme in LOOKS:
        page = sign_in("ines", viewport={"width": width, "height": height}, color_scheme=theme)
        for number, path in enumerate(paths):
            page.goto(path)
            page.evaluate(AXE)
            found = page.evaluate(RUN_AXE)
            wrong += [(path, width, theme, each) for each in found]
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wrong.append((path, width, "scrolls sideways"))
            name = path.strip("/").replace("/", "-").replace("?", "-").replace("=", "-")
            page.screenshot(path=tmp_path / f"{number:02d}-{name}-{width}-{theme}.png", full_page=True)
    assert wrong == []


def test_pages_for_nobody_and_open_menus_are_accessible(firm: Firm, chromium: Browser, tmp_path: Path) -> None:
    """Sign-in in both languages, and the menus when they are open, work without script and read well."""
    wrong: list[object] = []
    for width, height, theme in LOOKS:
        options = {"base_url": firm.url, "viewport": {"width": width, "height": height}, "color_scheme": theme}
        context = chromium.new_context(**options)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto("/sign-in")
        for language in ("Deutsch", "English"):
            page.get_by_role("button", name=language).click()
            page.evaluate(AXE)
            wrong += [("/sign-in", width, theme, language, each) for each in page.evaluate(RUN_AXE)]
            page.screenshot(path=tmp_path / f"sign-in-{language}-{width}-{theme}.png")
        page.get_by_label("User name").fill("ines")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.goto("/mailboxes")
        for menu in page.locator("header details.menu >> visible=true").all():
            menu.locator("summary").click()
            page.evaluate(AXE)
            wrong += [("menu", width, theme, each) for each in page.evaluate(RUN_AXE)]
            page.screenshot(path=tmp_path / f"menu-{width}-{theme}.png")
            page.keyboard.press("Escape")
            expect(menu).not_to_have_attribute("open", "")
        context.close()
    assert wrong == []


def test_the_navigation_without_script(firm: Firm, sign_in: Callable[..., Page]) -> None:
    """From 1,024 px the six links stand on every page; below they are in a menu that needs no script."""
    wide = sign_in("ines", viewport={"width": 1024, "height": 700}, java_script_enabled=False)
    for name in ("Alerts", "Mailboxes", "Failures", "Calendar", "Email Configuration", "Settings"):
        expect(wide.get_by_role("banner").get_by_role("link", name=name, exact=True)).to_be_visible()
    narrow = sign_in("ines", viewport={"width": 360, "height": 700}, java_script_enabled=False)
    narrow.get_by_text("Menu", exact=True).click()
    narrow.get_by_role("banner").get_by_role("link", name="Failures", exact=True).click()
    expect(narrow.get_by_role("heading", level=1)).to_have_text("Server-Side Synchronization Failures")


def test_pages_are_light(firm: Firm, sign_in: Callable[..., Page], chromium: Browser) -> None:
    """A browser that has loaded nothing yet gets any page in at most 300 KB, and once more in 30 KB."""
    busy_firm(firm)
    session = sign_in("ines").context.storage_state()
    heavy: list[object] = []
    for path in pages_of(firm):
        context = chromium.new_context(base_url=firm.url, storage_state=session)
        page, sent = context.new_page(), list[int]()
        page.on("requestfinished", lambda request, sent=sent: sent.append(request.sizes()["responseBodySize"]))
        weights = []
        for _ in range(2):
            sent.clear()
            page.goto(path, wait_until="networkidle")
            weights.append(sum(sent) / 1024)
        context.close()
        assert weights[0] > weights[1], (path, "the first load was none")
        if weights[0] > 300 or weights[1] > 30:
            heavy.append((path, weights))
    assert heavy == []


def test_a_picture_of_the_question(firm: Firm, sign_in: Callable[..., Page], tmp_path: Path) -> None:
    """The card of a question shows its picture and both answers; the README shows what this test sees."""
    firm.in_crm("Quarterly review with Harbour Cycles", at(9))
    firm.in_outlook("maya", Event(subject="Product demo for Alpen Sport", start=at(9.5), more=("LOCATION:Showroom",)))
    firm.connect("maya")
    page = sign_in("maya", viewport={"width": 1120, "height": 800}, device_scale_factor=2)
    page.goto(firm.questions()[0].url)
    card = page.get_by_role("article")

    expect(card.get_by_role("img").first).to_be_visible()
    expect(card.get_by_role("group").get_by_role("button")).to_have_text(["Yes", "No"])
    folder = ROOT / "docs" / "pictures" if "SYNCLINE_PICTURES" in os.environ else tmp_path
    card.screenshot(path=folder / "question.png")
