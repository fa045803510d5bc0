"""The preview in a browser: it asks for its plan by itself, and every look of it is accessible and fits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from syncline.desk import syncing
from syncline.desk.objects import FieldChange, PlannedItem, PlannedMail, SyncedMailbox
from syncline.ports import Alert, Changes
from syncline.web.language import COOKIE
from tests.browser.firm import DOMAIN, Event, Firm, at
from tests.browser.test_looks import AXE, LOOKS, RUN_AXE

pytestmark = [pytest.mark.browser, pytest.mark.emulator]
LONG = "A very long subject without end that says what nobody needs to know " * 2


def item(action: str, subject: str, direction: str = "crm_to_exchange", **more: object) -> PlannedItem:
    """Return one line of a plan."""
    return PlannedItem(
        action=action, subject=subject, start=at(9), detail="A-07", direction=direction, rule="A-07", **more  # type: ignore[arg-type]
    )  # fmt: skip


def plan_of_everything() -> SyncedMailbox:
    """Return a plan with one of everything that a plan can say."""
    mails = tuple(
        PlannedMail(to=f"{name}@a-rather-long-domain-name.example", kind=kind, subject=LONG, start=at(9), rule="A-07")
        for name, kind in (("eve", "request"), ("mia.with-a-long-name", "update"), ("zoe", "cancellation"))
    )
    change = (FieldChange(field="span", name="Time", before="Mon 9:00", after="Mon 10:00"),)
    plan = (
        item("save", "Product demo", "exchange_to_crm"),
        item("ask", LONG, "exchange_to_crm", code="BothSidesChanged", fields=change),
        item("make", LONG, mails=mails, mail_rule="A-06"),
        item("update", "Review", mails=mails, mail_rule="A-07", fields=change),
        item("hold", "Fair", code="InvitationsHeld", mails=mails, mail_rule="A-06"),
        item("delete", "Visit", mail_rule="invitations off"),
    )
    counts = dict.fromkeys(("saved", "updated", "deleted", "waiting", "skipped", "failed"), 0)
    return SyncedMailbox(mailbox=f"maya@{DOMAIN}", error=None, text=None, plan=plan, mailed=mails * 2, **counts)


def test_the_preview_is_accessible_and_fits(
    firm: Firm, sign_in: Callable[..., Page], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In every look and language axe finds nothing, nothing scrolls sideways, and the plan comes by itself."""
    monkeypatch.setattr(syncing, "preview", lambda *_: plan_of_everything())
    wrong: list[object] = []
    for width, height, theme in LOOKS:
        page = sign_in("ines", viewport={"width": width, "height": height}, color_scheme=theme)
        for language in ("en", "de"):
            page.context.add_cookies([{"name": COOKIE, "value": language, "url": firm.url}])
            page.goto(f"/mailboxes/{firm.mailbox('maya')}/preview")
            promise = {"en": "Nothing leaves before you sync.", "de": "Nichts geht hinaus, bevor Sie synchronisieren."}
            expect(page.get_by_text(promise[language])).to_be_visible()
            page.evaluate("document.querySelectorAll('#plan details').forEach(each => each.open = true)")
            page.evaluate(AXE)
            wrong += [(width, theme, language, each) for each in page.evaluate(RUN_AXE)]
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wrong.append((width, language, "scrolls sideways"))
            page.screenshot(path=tmp_path / f"preview-{width}-{theme}-{language}.png", full_page=True)
    assert wrong == []


def test_without_script_a_button_computes_it(firm: Firm, sign_in: Callable[..., Page]) -> None:
    """Nothing turns for ever: without script the form is there, and an empty calendar says so."""
    firm.connect("maya")
    page = sign_in("ines", java_script_enabled=False)
    page.goto(f"/mailboxes/{firm.mailbox('maya')}/preview")
    expect(page.get_by_text("The calendar is being read…")).to_be_hidden()
    page.get_by_role("button", name="Preview", exact=True).click()
    expect(page.get_by_text("the next sync would write nothing and send no mail")).to_be_visible()


def test_both_versions_are_accessible_and_fit(firm: Firm, sign_in: Callable[..., Page], tmp_path: Path) -> None:
    """The card with both versions side by side, wide and narrow, in both languages."""
    firm.in_outlook("maya", Event(subject="Visit", start=at(9), more=("LOCATION:Showroom",)))
    firm.connect("maya")
    firm.until(firm.entries)
    (link,) = firm.app.store.find_links("Visit", 5)
    now = firm.app.clock.now()
    params = {"fields": "subject, span, location", "exchange": "A", "row": "B", "subject": "Visit", "mailbox": "maya"}
    asked = Alert(
        mailbox_id=link.mailbox_id, code="BothSidesChanged", subject="Visit", params=params, created=now, last_seen=now,
        held=(link.id,), digest="x",
    )  # fmt: skip
    # Held until the end, so that no cycle withdraws what nobody has to decide here.
    firm.until(lambda: firm.app.store.holder(link.mailbox_id, firm.app.clock.now()) is None)
    lease = firm.app.store.claim(link.mailbox_id, "test", now, 600)
    assert lease is not None
    firm.app.store.write(lease, Changes(alerts=[asked]))
    (question,) = firm.questions()
    wrong: list[object] = []
    for width, height, theme in LOOKS:
        page = sign_in("maya", viewport={"width": width, "height": height}, color_scheme=theme)
        for language, name in (("en", "Both versions"), ("de", "Beide Fassungen")):
            page.context.add_cookies([{"name": COOKIE, "value": language, "url": firm.url}])
            page.goto(question.url)
            expect(page.get_by_role("region", name=name)).to_contain_text("Showroom")
            page.evaluate(AXE)
            wrong += [(width, theme, language, each) for each in page.evaluate(RUN_AXE)]
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wrong.append((width, language, "scrolls sideways"))
            page.screenshot(path=tmp_path / f"both-{width}-{theme}-{language}.png", full_page=True)
    assert wrong == []
