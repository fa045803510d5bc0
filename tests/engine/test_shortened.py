"""Rows with texts longer than Outlook holds: told once, for as long as it is so, and never cut off in the CRM."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace

from syncline.connectors.memory import crm as memory_crm
from syncline.core.appointment import LOCATION_MAX, SUBJECT_MAX, Importance, Pattern, PatternKind, Recurrence
from syncline.core.attachments import Limits
from syncline.errors import CATALOGUE, Level
from syncline.ports import Alert, AlertState, LinkState
from tests.engine.test_pushing import ADA, enter, links, outlook
from tests.engine.test_pushing_guards import assert_quiet, codes, ready
from tests.engine.test_pushing_sides import filtering, only, settled, switch
from tests.engine.world import World, at, meeting

LONG = "x" * 2000


def long_row(world: World, **fields: object) -> str:
    """Enter a row whose subject is too long for Outlook, and bring it over."""
    row = enter(world, replace(meeting("Visit", at(10), "bob"), subject=LONG, **fields))
    settled(world)
    return row


def told(world: World, name: str = "ada") -> Alert:
    """Return what is told of a shortened text on a mailbox; nothing else is told or asked there."""
    (alert,) = world.questions(name)
    assert (alert.code, alert.state) == ("FieldTooLong", AlertState.OPEN)
    return alert


@pytest.fixture
def roomy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the CRM have room for what Outlook has none for."""
    monkeypatch.setattr(memory_crm, "SUBJECT_MAX", 4000)
    monkeypatch.setattr(memory_crm, "LOCATION_MAX", 4000)


@pytest.mark.rule("3.9")
def test_a_text_that_goes_over_shortened_is_told_on_the_mailbox() -> None:
    """The item is saved and nothing waits; a notice that people see by default (AL-04) names what was cut off."""
    world = ready()
    long_row(world, location="y" * 300)
    alert = told(world)
    assert (alert.mailbox_id, alert.link_id) == (world.mailboxes["ada"], links(world)[0].id)
    assert alert.params["fields"] == "location, subject"
    assert CATALOGUE[alert.code].level is Level.INFORMATION
    (item,) = outlook(world)
    assert (item.subject, item.location) == (LONG[:SUBJECT_MAX], "y" * LOCATION_MAX)
    assert [link.state for link in links(world)] == [LinkState.SETTLED]
    assert codes(world, "bob") == []


@pytest.mark.rule("AL-10")
def test_it_is_told_once() -> None:
    """Neither further cycles nor edits of something else tell it again; another text that is too long is named too."""
    world = ready()
    row = long_row(world)
    first = told(world)
    assert_quiet(world)
    world.crm.edit(row, lambda found: replace(found, importance=Importance.HIGH), by="ada")
    settled(world)
    assert told(world) == first

    world.crm.edit(row, lambda found: replace(found, location="y" * 300), by="ada")
    settled(world)
    again = told(world)
    assert (again.id, again.params["fields"]) == (first.id, "location, subject")


@pytest.mark.rule("3.9")
def test_it_ends_when_the_text_fits_again() -> None:
    """Shortened by a person in the CRM, Outlook shows all of it, and the alert is withdrawn."""
    world = ready()
    row = long_row(world)
    world.crm.edit(row, lambda found: replace(found, subject="Visit"), by="ada")
    settled(world)
    assert ([item.subject for item in outlook(world)], world.questions()) == (["Visit"], ())
    (over,) = world.store.alerts([world.mailboxes["ada"]])
    assert (over.code, over.state, over.reason) == ("FieldTooLong", AlertState.WITHDRAWN, "its texts fit")


@pytest.mark.rule("3.9")
def test_it_ends_even_if_what_outlook_shows_stays_the_same() -> None:
    """The CRM's text is cut to what Outlook holds already: there is nothing to write, and nothing to tell."""
    world = ready()
    row = long_row(world)
    world.crm.edit(row, lambda found: replace(found, subject=LONG[:SUBJECT_MAX]), by="ada")
    settled(world)
    assert world.questions() == ()


@pytest.mark.rule("3.9")
def test_a_text_that_grows_too_long_is_told() -> None:
    """An edit in the CRM adds what Outlook has no room for, to an item that Outlook made or shows the start of."""
    world = ready()
    world.track(meeting("Visit", at(10)))
    settled(world)
    (row,) = world.rows()
    world.crm.edit(row.id, lambda found: replace(found, subject=LONG), by="ada")
    settled(world)
    assert told(world).params["fields"] == "subject"


@pytest.mark.rule("3.9")
def test_a_long_text_of_one_date_is_told() -> None:
    """One date of a series has a place that is too long; deleted in the CRM, that date tells nothing any more."""
    world = ready()
    pattern = Recurrence(pattern=Pattern(kind=PatternKind.DAILY), first=date(2026, 11, 24), count=5)
    series = replace(meeting("Round", at(10)), recurrence=pattern)
    start = at(10, days=2).start
    part = replace(series, identity=replace(series.identity, original_start=start), span=at(10, days=2))
    part = replace(part, recurrence=None, location="y" * 300)
    row = enter(world, replace(series, exceptions=(part,)))
    settled(world)
    assert told(world).params["fields"] == "location"
    world.crm.edit(row, lambda found: replace(found, exceptions=(), deleted=(start,)), by="ada")
    settled(world)
    assert world.questions() == ()


@pytest.mark.rule("3.1")
@pytest.mark.usefixtures("roomy")
def test_an_edit_of_another_field_in_outlook_leaves_the_whole_text_in_the_crm() -> None:
    """Time and place come in from Outlook; the CRM's subject stays as long as it is, and the alert stands."""
    world = ready()
    long_row(world)
    first = told(world)
    world.change(only(world), span=at(12), location="Bern")
    settled(world)
    (row,) = world.rows()
    assert (row.appointment.subject, row.appointment.span, row.appointment.location) == (LONG, at(12), "Bern")
    assert outlook(world)[0].subject == LONG[:SUBJECT_MAX]
    assert told(world) == first
    assert_quiet(world)


@pytest.mark.rule("B-05")
def test_it_stands_beside_what_fails_and_outlives_it() -> None:
    """The CRM refuses an edit because of the long text: both are told, and the refusal ends without the other."""
    world = ready()
    long_row(world)
    world.change(only(world), span=at(12))
    settled(world)
    assert codes(world) == ["CrmRefused", "FieldTooLong"]
    world.change(only(world), span=at(10))
    settled(world)
    assert (told(world).params["fields"], world.rows()[0].appointment.subject) == ("subject", LONG)


def test_files_that_are_in_step_end_no_alert_about_a_text() -> None:
    """A file that was not taken and is gone again ends its own alert only."""
    world = ready(attachments=Limits(size_max=1_000, blocked=frozenset({"exe"})))
    long_row(world)
    world.exchange.attach(ADA, only(world), "setup.exe", b"x")
    settled(world)
    assert codes(world) == ["AttachmentBlocked", "FieldTooLong"]
    world.exchange.detach(ADA, only(world), "setup.exe")
    settled(world)
    assert codes(world) == ["FieldTooLong"]


@pytest.mark.parametrize("how", ["row deleted", "item deleted", "untracked", "out of the filters", "canceled"])
def test_it_ends_with_what_it_is_about(how: str) -> None:
    """Nothing is told of a row that Syncline no longer keeps in step with an item, nor of one that is over."""
    world = ready()
    row = long_row(world)
    told(world)
    ways = {
        "row deleted": lambda: world.crm.remove(row),
        "item deleted": lambda: world.exchange.delete(ADA, only(world)),
        "untracked": lambda: world.exchange.set_categories(ADA, only(world), ()),
        "out of the filters": lambda: filtering(world, on=False),
        "canceled": lambda: world.crm.cancel(row, by="ada"),
    }
    ways[how]()
    settled(world)
    assert codes(world) == (["FieldTooLong"] if how == "canceled" else [])


def test_it_is_told_where_the_row_is_written() -> None:
    """While Ada's mailbox is off nobody writes the row; her alert is neither doubled nor moved to a guest's mailbox."""
    world = ready()
    row = long_row(world)
    first = told(world)
    switch(world, "ada", enabled=False)
    world.crm.edit(row, lambda found: replace(found, importance=Importance.HIGH), by="bob")
    settled(world, "bob")
    switch(world, "ada", enabled=True)
    settled(world)
    assert (codes(world, "bob"), told(world)) == ([], first)
