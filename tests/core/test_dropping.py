"""Dates that go from a series: which of them said something of their own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from syncline.core.appointment import (
    Address,
    Appointment,
    Attendee,
    Identity,
    Pattern,
    PatternKind,
    Recurrence,
    Response,
    ShowAs,
    Span,
)
from syncline.core.dropping import dropped

FIRST = datetime(2026, 11, 23, 9, tzinfo=UTC)
SECOND = FIRST + timedelta(days=1)
ADA, BOB = Address("ada@example.org"), "bob@example.org"
HOUR = timedelta(hours=1)


def series(**fields: Any) -> Appointment:
    """Return a daily meeting whose second date is an exception with these fields."""
    whole = Appointment(
        identity=Identity("uid-1"),
        subject="Daily",
        span=Span(FIRST, FIRST + HOUR),
        organizer=ADA,
        attendees=(Attendee(BOB, "Bob"),),
        recurrence=Recurrence(pattern=Pattern(kind=PatternKind.DAILY), first=FIRST.date(), count=5),
    )
    part = replace(whole, identity=Identity("uid-1", SECOND), span=Span(SECOND, SECOND + HOUR), recurrence=None)
    return replace(whole, exceptions=(replace(part, **fields),))


@pytest.mark.rule("A-25")
@pytest.mark.parametrize(
    "fields",
    [
        {"subject": "Other"},
        {"description": "Agenda"},
        {"location": "Bern"},
        {"span": Span(SECOND + HOUR, SECOND + 2 * HOUR)},
        {"show_as": ShowAs.FREE},
        {"attendees": ()},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_what_differs_from_the_series_is_kept(fields: dict[str, Any]) -> None:
    """Texts, place, time, how it shows and people: each alone is a content of its own."""
    before = series(**fields)

    assert dropped(before, replace(before, exceptions=(), deleted=(SECOND,)), {SECOND}) == before.exceptions


@pytest.mark.rule("A-25")
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"organizer": None},
        {"canceled": True},
        {"zone": "Europe/Zurich"},
        {"categories": ("Red",), "response": Response.ACCEPTED, "reminder_minutes": 5},
        {"attendees": (Attendee(BOB, "Robert", response=Response.DECLINED),)},
    ],
    ids=lambda fields: next(iter(fields), "nothing"),
)
def test_what_only_has_marks_of_its_own_is_not_kept(fields: dict[str, Any]) -> None:
    """Categories, reminders, answers and names of people are no content, nor is that it was called off."""
    before = series(**fields)

    assert dropped(before, replace(before, exceptions=(), deleted=(SECOND,)), {SECOND}) == ()


def test_a_date_that_stands_is_not_kept() -> None:
    """Another date was deleted."""
    before = series(location="Bern")

    assert dropped(before, replace(before, deleted=(FIRST,)), {FIRST}) == ()


def test_a_date_has_the_organizer_of_its_series_if_it_names_none() -> None:
    """Outlook may leave it out; a restored date is an appointment of that organizer (A-27)."""
    before = series(location="Bern", organizer=None)
    (part,) = dropped(before, replace(before, exceptions=(), deleted=(SECOND,)), {SECOND})

    assert part.organizer == ADA


def test_a_date_of_a_moved_series_is_found_by_its_day() -> None:
    """The series begins an hour later now, and so does the date that was deleted (decision 0030)."""
    before = series(location="Bern")
    later = SECOND + HOUR
    after = replace(before, span=Span(FIRST + HOUR, FIRST + 2 * HOUR), exceptions=(), deleted=(later,))

    assert dropped(before, after, {later}) == before.exceptions
