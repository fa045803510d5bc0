"""The trash in a browser: filled, in the way, restored; in both themes, widths and languages."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from syncline.core.appointment import Address, Appointment, Identity, Span
from syncline.ports import Changes, Origin, Trashed
from tests.browser.firm import DOMAIN, Firm, at
from tests.browser.test_looks import AXE, LOOKS, RUN_AXE

pytestmark = [pytest.mark.browser, pytest.mark.emulator]


def throw(firm: Firm, *subjects: str) -> None:
    """Put an hour of Maya's at 9 for each subject into her trash, as a cycle does."""
    box, now = firm.mailbox("maya"), firm.app.clock.now()
    organizer = Address(f"maya@{DOMAIN}", "Maya Lind")
    span = Span(at(9), at(9) + timedelta(hours=1))
    entries = [
        Trashed(
            mailbox_id=box,
            side=Origin.CRM,
            appointment=Appointment(identity=Identity(f"uid-{name}"), subject=name, span=span, organizer=organizer),
            deleted_on=now,
        )
        for name in subjects
    ]
    lease = firm.app.store.claim(box, "test", now, 60)
    assert lease is not None
    firm.app.store.write(lease, Changes(trash=entries))
    firm.app.store.release(lease, None, None)


def restore_of(subject: str) -> re.Pattern[str]:
    """Return the name of the button that restores this; what only a screen reader hears is set off by a space."""
    return re.compile(f"^Restore ?: {subject}$")


def test_the_trash_is_accessible_and_fits(firm: Firm, sign_in: Callable[..., Page], tmp_path: Path) -> None:
    """With entries, restored ones and in German, axe finds nothing and no page scrolls sideways."""
    throw(firm, "Product demo for Alpen Sport", "Bike fair")
    first = sign_in("maya")
    first.goto("/trash")
    first.get_by_role("button", name=restore_of("Bike fair")).click()
    expect(first.get_by_text("The appointment is in the calendar again.")).to_be_visible()
    wrong: list[object] = []
    for width, height, theme in LOOKS:
        page = sign_in("maya", viewport={"width": width, "height": height}, color_scheme=theme)
        for number, path in enumerate(("/trash?state=all", "/trash?state=restored", "/trash", "/explain?q=bike")):
            page.goto(path)
            page.evaluate(AXE)
            wrong += [(path, width, theme, each) for each in page.evaluate(RUN_AXE)]
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wrong.append((path, width, "scrolls sideways"))
            page.screenshot(path=tmp_path / f"trash-{number}-{width}-{theme}.png", full_page=True)
    assert wrong == []


def test_what_is_in_the_way_is_accessible_and_works_without_script(
    firm: Firm, sign_in: Callable[..., Page], tmp_path: Path
) -> None:
    """The refusal names the clash; one more click restores all the same, and leads to the new appointment."""
    firm.in_crm("Quarterly review with Harbour Cycles", at(9))
    throw(firm, "Product demo for Alpen Sport")
    wrong: list[object] = []
    for width, height, theme in LOOKS:
        page = sign_in("maya", viewport={"width": width, "height": height}, color_scheme=theme)
        page.goto("/trash")
        page.get_by_role("button", name=restore_of("Product demo for Alpen Sport")).click()
        expect(page.get_by_role("alert")).to_contain_text("Quarterly review with Harbour Cycles")
        page.evaluate(AXE)
        wrong += [(width, theme, each) for each in page.evaluate(RUN_AXE)]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wrong.append((width, "scrolls sideways"))
        page.screenshot(path=tmp_path / f"in-the-way-{width}-{theme}.png", full_page=True)
    assert wrong == []
    plain = sign_in("maya", java_script_enabled=False)
    plain.goto("/calendar")
    plain.get_by_role("link", name="Trash").click()
    plain.get_by_role("button", name=restore_of("Product demo for Alpen Sport")).click()
    plain.get_by_role("button", name="Restore anyway").click()
    plain.get_by_role("link", name="Restored", exact=True).click()
    plain.get_by_role("link", name=re.compile("^Open in Calendar")).click()
    expect(plain.get_by_role("heading", level=1)).to_have_text("Product demo for Alpen Sport")
