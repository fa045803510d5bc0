"""What people see and do in the embedded CRM, and who an address is (AT-01 to AT-03)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from syncline.conformance.samples import ADA, BOB, MONDAY, at, daily, dates, single
from syncline.connectors.embedded_crm import EmbeddedCrm, Listed
from syncline.core.appointment import Address, Appointment, Attendee, Identity, Kind, ShowAs, Status
from syncline.errors import SyncError
from syncline.ports import Result
from tests.embedded_crm.test_check import series_with_exception
from tests.embedded_crm.world import book, names, saved

WEEK = (MONDAY, MONDAY + timedelta(days=7))


def everything(crm: EmbeddedCrm, limit: int, *window: object, user: str | None = None) -> list[Listed]:
    """Read a listing to its end."""
    found: list[Listed] = []
    cursor = None
    while True:
        page = crm.listing(*(window or (None, None)), user=user, cursor=cursor, limit=limit)  # type: ignore[arg-type]
        assert len(page.items) <= limit
        found.extend(page.items)
        cursor = page.cursor
        if cursor is None:
            return found


@pytest.fixture
def filled(crm: EmbeddedCrm) -> EmbeddedCrm:
    """Give a CRM with a single, a series with exception and deletion, a canceled row and a long day off."""
    saved(crm, "single", single("single", at(11), attendees=(Attendee(BOB.address),)))
    saved(crm, "series", series_with_exception())
    book(crm, "canceled", single("canceled", at(10, day=40)), status=Status.CANCELED)
    saved(crm, "off", single("off", dates(-3, 20), organizer=BOB), user="bob")
    return crm


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_without_a_window_everything_is_listed_once(filled: EmbeddedCrm, limit: int) -> None:
    """Every single, series and exception once each, closed ones included, by start, in pages of any size."""
    found = everything(filled, limit)
    assert [(entry.kind, entry.id) for entry in found if entry.kind is not Kind.EXCEPTION] == [
        (Kind.SINGLE, "off"),
        (Kind.SERIES, "series"),
        (Kind.SINGLE, "single"),
        (Kind.SINGLE, "canceled"),
    ]
    (exception,) = [entry for entry in found if entry.kind is Kind.EXCEPTION]
    assert (exception.series_id, exception.original_start, exception.start) == (
        "series",
        at(9, day=2).start,
        at(14, day=2).start,
    )
    assert next(entry for entry in found if entry.kind is Kind.SERIES).recurrence == "FREQ=DAILY;COUNT=5"


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_a_window_lists_every_occurrence_in_it(filled: EmbeddedCrm, limit: int) -> None:
    """With a window series appear as their occurrences, exceptions where they are, deleted ones not."""
    found = everything(filled, limit, *WEEK)
    assert [(entry.kind, entry.start) for entry in found] == [
        (Kind.SINGLE, dates(-3).start),
        (Kind.OCCURRENCE, at(9).start),
        (Kind.SINGLE, at(11).start),
        (Kind.OCCURRENCE, at(9, day=1).start),
        (Kind.EXCEPTION, at(14, day=2).start),
        (Kind.OCCURRENCE, at(9, day=4).start),
    ]
    assert everything(filled, limit, MONDAY + timedelta(days=60), MONDAY + timedelta(days=61)) == []


def test_a_listing_can_be_one_persons(filled: EmbeddedCrm) -> None:
    """With a user only what he organizes or attends is listed."""
    assert {entry.id for entry in everything(filled, 100, user="bob")} == {"single", "off"}
    assert {entry.series_id or entry.id for entry in everything(filled, 100, *WEEK, user="ada")} == {"single", "series"}
    assert everything(filled, 100, user="nobody") == []


def test_every_listed_entry_is_found_by_its_id(filled: EmbeddedCrm) -> None:
    """What a listing shows can be asked for by the id it carries; what is not there is NotFoundHere."""
    for entry in [*everything(filled, 100), *everything(filled, 100, *WEEK)]:
        assert filled.listed(entry.id) == entry
        assert filled.row(entry.id).id == (entry.series_id or entry.id)
    for missing in ("nobody's", "series@20310306T090000Z", "series@20310303T100000Z"):
        with pytest.raises(SyncError) as caught:
            filled.listed(missing)
        assert caught.value.code == "NotFoundHere"
    with pytest.raises(SyncError):
        filled.row("nobody's")


def test_a_listing_refuses_a_cursor_it_never_gave(crm: EmbeddedCrm) -> None:
    """A cursor in no known form is InvalidRequest."""
    with pytest.raises(SyncError) as caught:
        crm.listing(cursor="yesterday")
    assert caught.value.code == "InvalidRequest"


@pytest.mark.rule("K-06")
def test_people_are_checked_like_everybody(crm: EmbeddedCrm) -> None:
    """An overlapping entry is refused with the verdict and nothing is written, unless conflicts are ignored."""
    first = crm.create(single("", at(10)), by_user="ada")
    assert first.result is Result.SAVED
    assert crm.row(first.id).appointment.identity.global_object_id
    held = crm.create(single("", at(10.5)), by_user="ada")
    assert (held.result, names(held)) == (Result.UNAVAILABLE, {"Ada Admin"})
    assert len(crm.listing().items) == 1
    assert crm.create(single("", at(10.5)), by_user="ada", ignore_conflicts=True).result is Result.SAVED


@pytest.mark.rule("A-29")
def test_an_entry_without_organizer_belongs_to_who_enters_it(crm: EmbeddedCrm) -> None:
    """Who enters an appointment without an organizer owns it and is busy then."""
    plain = Appointment(identity=Identity(""), subject="Plain", span=at(10))
    outcome = crm.create(plain, by_user="bob")
    assert crm.row(outcome.id).owner == "bob"
    assert crm.row(outcome.id).modified_by == "bob"
    assert names(book(crm, "two", single("two", at(10), organizer=BOB), user="bob")) == {"Bob Berg"}
    created = crm.row(outcome.id).appointment.created
    crm.edit(outcome.id, None, {"subject": "Plainer"}, by_user="ada")
    assert crm.row(outcome.id).appointment.created == created == MONDAY - timedelta(days=1)
    assert crm.row(crm.create(single("", at(15)), by_user="bob").id).owner == "ada"


@pytest.mark.rule("CD-10")
def test_an_edit_of_texts_never_raises_a_conflict(crm: EmbeddedCrm) -> None:
    """Only times, show-as and people are checked again; a move onto another row is refused."""
    saved(crm, "one", single("one", at(10)))
    saved(crm, "two", single("two", at(10)))
    assert crm.edit("two", 1, {"subject": "Other"}, by_user="bob").result is Result.SAVED
    assert crm.edit("two", 2, {"span": at(10.5)}, by_user="bob").result is Result.UNAVAILABLE
    assert crm.edit("two", 2, {"show_as": ShowAs.OUT_OF_OFFICE}, by_user="bob").result is Result.UNAVAILABLE
    assert crm.edit("two", 1, {"subject": "Late"}, by_user="bob").result is Result.STALE
    whole = replace(crm.row("two").appointment, span=at(12), subject="Whole")
    assert crm.edit("two", None, whole, by_user="ada").result is Result.SAVED
    assert crm.row("two").appointment.subject == "Whole"
    assert crm.edit("nobody's", None, {}, by_user="ada").result is Result.STALE


def test_one_date_of_a_series_can_be_changed_and_removed(crm: EmbeddedCrm) -> None:
    """An occurrence that is edited becomes an exception, one that is removed is deleted; the series is one version."""
    saved(crm, "series", daily("series", at(9)))
    second, third = (entry.id for entry in crm.listing(*WEEK).items[1:3])
    assert crm.edit(second, None, {"span": at(16, day=1), "subject": "Moved"}, by_user="bob").result is Result.SAVED
    assert crm.remove(third, by_user="bob").result is Result.SAVED
    row = crm.row("series")
    (exception,) = row.appointment.exceptions
    assert (exception.subject, exception.span, exception.recurrence) == ("Moved", at(16, day=1), None)
    assert (row.appointment.deleted, row.version) == ((at(9, day=2).start,), 3)
    exception_id = row.exception_ids[at(9, day=1).start]
    assert crm.edit(exception_id, None, {}, by_user="bob", status=Status.CANCELED).result is Result.SAVED
    assert crm.listed(exception_id).status is Status.CANCELED
    assert crm.remove(exception_id, by_user="bob").result is Result.SAVED
    assert [entry.start for entry in crm.listing(*WEEK).items] == [at(9, day=day).start for day in (0, 3, 4)]
    with pytest.raises(SyncError):
        crm.edit(third, None, {"subject": "Gone"}, by_user="bob")
    with pytest.raises(SyncError):
        crm.edit("series@20310306T090000Z", None, {}, by_user="bob", status=Status.COMPLETED)


def test_a_closed_row_takes_no_edit(crm: EmbeddedCrm) -> None:
    """A completed row stays as it is; it can be removed, and removing it again is no error."""
    saved(crm, "one", single("one", at(10)))
    assert crm.edit("one", None, {}, by_user="bob", status=Status.COMPLETED).result is Result.SAVED
    assert crm.edit("one", None, {"subject": "Other"}, by_user="bob").result is Result.CLOSED
    assert [crm.remove("one", by_user="bob").result for _ in range(2)] == [Result.SAVED, Result.SAVED]


# --- who an address is ----------------------------------------------------------------------------------------------


def party(crm: EmbeddedCrm, row_id: str, address: str) -> tuple[int | None, int | None]:
    """Return user and contact of one party, as the tables hold them."""
    with crm._database.reading() as connection:
        found = connection.exec_driver_sql(
            "SELECT user_id, contact_id FROM parties WHERE appointment_id = ? AND address = ?", (row_id, address)
        ).one()
    return found[0], found[1]


@pytest.mark.rule("AT-02")
def test_an_address_is_a_user_before_a_contact_before_nobody(crm: EmbeddedCrm) -> None:
    """User first, then a contact if it is the only one; several contacts leave the address unresolved."""
    crm.add_contact("Bob the contact", emails=[BOB.address])
    one = crm.add_contact("Guest", emails=["Guest@Elsewhere.example"])
    crm.add_contact("Left", emails=["twins@elsewhere.example"])
    crm.add_contact("Right", emails=["twins@elsewhere.example"])
    people = (BOB.address, "guest@elsewhere.example", "twins@elsewhere.example", "stranger@elsewhere.example")
    saved(crm, "one", single("one", at(10), attendees=tuple(Attendee(address) for address in people)))
    assert [party(crm, "one", address) for address in people] == [
        (2, None),
        (None, int(one)),
        (None, None),
        (None, None),
    ]


@pytest.mark.rule("AT-01")
def test_organizer_and_attendees_keep_role_and_name(crm: EmbeddedCrm) -> None:
    """Organizer, required and optional attendees come back as they came."""
    item = single("one", at(10), attendees=(Attendee("x@elsewhere.example", "X"), Attendee(BOB.address, "Bob")))
    saved(crm, "one", item)
    assert crm.row("one").appointment.organizer == ADA
    assert {attendee.name for attendee in crm.row("one").appointment.attendees} == {"X", "Bob"}


@pytest.mark.rule("AT-03")
def test_a_disabled_user_is_not_checked(crm: EmbeddedCrm) -> None:
    """Disabled users and contacts never match; a user who is enabled again is busy where he was meanwhile named."""
    crm.set_user("bob", enabled=False)
    crm.add_contact("Off", emails=["off@elsewhere.example"], enabled=False)
    item = single("one", at(10), attendees=(Attendee(BOB.address), Attendee("off@elsewhere.example")))
    saved(crm, "one", item)
    assert party(crm, "one", "off@elsewhere.example") == (None, None)
    asked = single("two", at(10), organizer=BOB)
    assert book(crm, "two", asked, user="bob").result is Result.SAVED
    crm.set_user("bob", enabled=True)
    assert names(book(crm, "three", replace(asked, identity=Identity("three")), user="bob")) == {"Bob Berg"}


def test_a_new_user_is_busy_where_his_address_stood_before(crm: EmbeddedCrm) -> None:
    """Rows that name an address follow when it becomes a user's, singles, exceptions and series."""
    dan = Address("dan@example.org", "Dan")
    saved(crm, "one", single("one", at(12), attendees=(Attendee(dan.address),)))
    attendees = (Attendee(dan.address),)
    series = series_with_exception()
    moved = replace(series.exceptions[0], attendees=attendees)
    saved(crm, "series", replace(series, attendees=attendees, exceptions=(moved,)))
    crm.add_user("dan", full_name="Dan", emails=[dan.address])
    spans = [at(12), at(9, day=1), at(14, day=2), at(9, day=3)]
    results = [book(crm, f"d{n}", single(f"d{n}", span, organizer=dan), user="dan") for n, span in enumerate(spans)]
    assert [outcome.result for outcome in results] == [Result.UNAVAILABLE] * 3 + [Result.SAVED]


def test_names_and_addresses_of_users_are_unique(crm: EmbeddedCrm) -> None:
    """A taken name or address is refused and changes nothing; an unknown user is NotFoundHere."""
    for given in ({"name": "ada"}, {"name": "eve", "emails": ["ADA@example.org"]}):
        with pytest.raises(SyncError) as caught:
            crm.add_user(**given)  # type: ignore[arg-type]
        assert caught.value.code == "AlreadyExists"
    with pytest.raises(SyncError) as taken:
        crm.set_user("bob", emails=[ADA.address])
    with pytest.raises(SyncError) as unknown:
        crm.set_user("eve", full_name="Eve")
    assert (taken.value.code, unknown.value.code) == ("AlreadyExists", "NotFoundHere")
    assert [user.name for user in crm.users()] == ["ada", "bob", "cyd"]
    changed = crm.set_user("bob", full_name="Robert", time_zone="Europe/Oslo", emails=["r@example.org", BOB.address])
    assert (changed.full_name, changed.time_zone, changed.emails) == (
        "Robert",
        "Europe/Oslo",
        ("r@example.org", BOB.address),
    )
