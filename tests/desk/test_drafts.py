"""What people type becomes an appointment, or is refused with the reason."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from syncline.core.appointment import (
    Address,
    Appointment,
    Attendee,
    Identity,
    PatternKind,
    Response,
    Role,
    ShowAs,
    Span,
)
from syncline.desk.drafts import Draft, changed, day, new_appointment, person
from syncline.errors import SyncError
from syncline.ports import User

NOW = datetime(2026, 11, 23, 9, 0, 0, 5, tzinfo=UTC)
MAYA = User(
    id="1", name="maya", full_name="Maya Lind", emails=("maya.lind@fjordbikes.example",), time_zone="Europe/Copenhagen"
)
JONAS = User(id="2", name="jonas", full_name="Jonas Weber", emails=("jonas.weber@fjordbikes.example",))
USERS = (MAYA, JONAS)


def made(**fields: Any) -> Appointment:
    """Make an appointment of Maya's from a draft with a subject and a start."""
    draft = Draft(**{"subject": "Review", "start": "2026-11-24T10:00", **fields})
    return new_appointment(draft, USERS, MAYA, NOW)


def at(text: str) -> datetime:
    """Return a UTC instant."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_wall_time_is_read_in_the_organizers_zone() -> None:
    """Without a zone, the organizer's own counts; the end is half an hour later."""
    review = made()

    assert review.span == Span(at("2026-11-24T09:00"), at("2026-11-24T09:30"))
    assert review.zone == "Europe/Copenhagen"
    assert review.organizer is not None
    assert review.organizer.address == "maya.lind@fjordbikes.example"
    assert review.show_as is ShowAs.BUSY


def test_a_time_with_offset_is_an_instant() -> None:
    """RFC 3339 times are taken as they are, whatever the zone."""
    review = made(start="2026-11-24T10:00:00Z", end="2026-11-24T12:00:00+01:00")

    assert review.span == Span(at("2026-11-24T10:00"), at("2026-11-24T11:00"))


@pytest.mark.parametrize("end", [None, "2026-11-24", "2026-11-25", "2026-11-25T00:00:00Z"])
def test_all_day_items_are_dates(end: str | None) -> None:
    """One day is written without end, with the same day, or with the day after it."""
    trip = made(start="2026-11-24", end=end, all_day=True)

    assert trip.span == Span(at("2026-11-24T00:00"), at("2026-11-25T00:00"), all_day=True)


def test_a_series_begins_on_the_first_date_that_fits() -> None:
    """A weekly series on Mondays that is entered on a Tuesday begins on the Monday after."""
    series = made(recurrence="FREQ=WEEKLY;BYDAY=MO;COUNT=4")

    assert series.recurrence is not None
    assert series.recurrence.pattern.kind is PatternKind.WEEKLY
    assert series.recurrence.first == date(2026, 11, 30)
    assert series.span.start == at("2026-11-30T09:00")


def test_people_are_named_by_sign_in_name_or_address() -> None:
    """A user gets his name and address; an unknown address is a guest."""
    review = made(required=["jonas", "guest@example.org"], optional=["Guest@example.org"])

    assert [(a.address, a.name, a.role) for a in review.attendees] == [
        ("jonas.weber@fjordbikes.example", "Jonas Weber", Role.REQUIRED),
        ("guest@example.org", "", Role.REQUIRED),
    ]


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"start": None}, "start"),
        ({"subject": " "}, "subject"),
        ({"subject": "x" * 201}, "200"),
        ({"start": "tomorrow"}, "tomorrow"),
        ({"start": "9999-12-31T23:59", "time_zone": "Pacific/Honolulu"}, "9999"),
        ({"end": "2026-11-24T09:00"}, "ends before"),
        ({"time_zone": "Mars/Base"}, "Mars/Base"),
        ({"show_as": "asleep"}, "asleep"),
        ({"required": ["nobody"]}, "nobody"),
        ({"required": [f"guest{n}@example.org" for n in range(501)]}, "500"),
        ({"recurrence": "FREQ=WEEKLY;UNTIL=20261126;BYDAY=MO"}, "ends before"),
    ],
)
def test_what_cannot_be_understood_is_refused(fields: dict[str, Any], word: str) -> None:
    """The refusal names what is wrong."""
    with pytest.raises(SyncError) as refused:
        made(**fields)

    assert refused.value.code == "InvalidRequest"
    assert word in refused.value.text


@pytest.mark.parametrize("rule", ["FREQ=HOURLY", "nonsense", "FREQ=WEEKLY;COUNT=0"])
def test_a_repetition_that_cannot_be_taken_is_refused(rule: str) -> None:
    """A rule outside the six patterns is refused with its own code."""
    with pytest.raises(SyncError) as refused:
        made(recurrence=rule)

    assert refused.value.code == "RecurrenceNotSupported"


@pytest.mark.rule("A-03")
def test_an_empty_organizer_is_nobody() -> None:
    """Who enters an appointment organizes it unless he says that nobody does; later it can be taken off or named."""
    nobody = made(organizer="")

    assert nobody.organizer is None
    assert changed(made(), Draft(organizer=" "), USERS).organizer is None
    assert changed(nobody, Draft(location="Showroom"), USERS).organizer is None
    assert changed(nobody, Draft(organizer="jonas"), USERS).organizer == Address(JONAS.emails[0], JONAS.full_name)


def test_what_is_not_given_stays() -> None:
    """A change of the location touches nothing else."""
    before = made(required=["jonas"])
    after = changed(before, Draft(location="Showroom"), USERS)

    assert after == replace(before, location="Showroom")


def test_moving_the_start_keeps_the_length() -> None:
    """A new start without an end moves the whole appointment."""
    after = changed(made(end="2026-11-24T12:00"), Draft(start="2026-11-25T14:00"), USERS)

    assert after.span == Span(at("2026-11-25T13:00"), at("2026-11-25T15:00"))


def test_moving_a_series_puts_every_date_back_on_the_pattern() -> None:
    """Exceptions and deleted dates belong to the old times and are dropped."""
    series = made(recurrence="FREQ=DAILY;COUNT=3")
    exception = replace(
        series, identity=Identity(series.identity.global_object_id, at("2026-11-25T09:00")), recurrence=None
    )
    series = replace(series, exceptions=(exception,), deleted=(at("2026-11-26T09:00"),))
    after = changed(series, Draft(start="2026-11-24T11:00"), USERS)

    assert (after.exceptions, after.deleted) == ((), ())
    assert after.recurrence is not None
    assert after.span.start == at("2026-11-24T10:00")


def test_a_series_becomes_single_by_an_empty_rule() -> None:
    """The empty repetition ends the repeating."""
    assert changed(made(recurrence="FREQ=DAILY"), Draft(recurrence=""), USERS).recurrence is None


def test_an_appointment_becomes_all_day_and_back() -> None:
    """Switching keeps the date."""
    whole = changed(made(), Draft(all_day=True), USERS)
    timed = changed(whole, Draft(all_day=False, start="2026-11-24T10:00", end="2026-11-24T11:00"), USERS)

    assert whole.span == Span(at("2026-11-24T00:00"), at("2026-11-25T00:00"), all_day=True)
    assert timed.span == Span(at("2026-11-24T09:00"), at("2026-11-24T10:00"))


def test_who_answered_keeps_his_answer() -> None:
    """Replacing the guests does not forget what a remaining one has answered."""
    before = replace(
        made(), attendees=(Attendee("jonas.weber@fjordbikes.example", "Jonas Weber", Role.REQUIRED, Response.ACCEPTED),)
    )
    after = changed(before, Draft(required=["jonas", "maya"]), USERS)

    assert [a.response for a in after.attendees] == [Response.ACCEPTED, Response.NONE]


def test_a_day_is_midnight_utc() -> None:
    """Windows of listings are UTC days."""
    assert day("2026-11-24") == at("2026-11-24T00:00")
    with pytest.raises(SyncError, match="InvalidRequest"):
        day("24.11.2026")


def test_a_name_with_a_space_is_no_address() -> None:
    """What is neither a user nor an address is refused."""
    with pytest.raises(SyncError, match="neither"):
        person("a b@c", USERS)
