"""Values as JSON text: nothing is lost, and equal text means equal value."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from syncline.core.appointment import (
    Address,
    Appointment,
    Attendee,
    Identity,
    Importance,
    Pattern,
    PatternKind,
    Recurrence,
    Response,
    Role,
    Sensitivity,
    ShowAs,
    Span,
)
from syncline.core.scheduling import Clash, Unavailable, Verdict
from syncline.store.codec import decode, encode
from tests.store.things import NOW

INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))
TEXT = st.text(max_size=12)
SPANS = st.builds(lambda start, s, all_day: Span(start, start + timedelta(seconds=s), all_day), INSTANTS,
                  st.integers(0, 10**6), st.booleans())  # fmt: skip
ATTENDEES = st.builds(Attendee, TEXT, TEXT, st.sampled_from(Role), st.sampled_from(Response))
PATTERNS = st.builds(
    Pattern,
    kind=st.sampled_from(PatternKind),
    interval=st.integers(1, 99),
    weekdays=st.lists(st.integers(0, 6), max_size=7).map(tuple),
    day=st.integers(0, 31),
    nth=st.sampled_from([-1, 0, 1, 2, 3, 4]),
    month=st.integers(0, 12),
)
RECURRENCES = st.builds(
    Recurrence,
    pattern=PATTERNS,
    first=st.dates(date(1990, 1, 1), date(2090, 1, 1)),
    count=st.none() | st.integers(1, 999),
    until=st.none() | st.dates(date(1990, 1, 1), date(2090, 1, 1)),
)


def _appointments(exceptions: st.SearchStrategy[tuple[Appointment, ...]]) -> st.SearchStrategy[Appointment]:
    return st.builds(
        Appointment,
        identity=st.builds(Identity, TEXT, st.none() | INSTANTS),
        subject=TEXT,
        description=TEXT,
        location=TEXT,
        span=SPANS,
        zone=st.sampled_from(["UTC", "Europe/Copenhagen", "custom:abc"]),
        show_as=st.sampled_from(ShowAs),
        sensitivity=st.sampled_from(Sensitivity),
        importance=st.sampled_from(Importance),
        organizer=st.none() | st.builds(Address, TEXT, TEXT),
        attendees=st.lists(ATTENDEES, max_size=3).map(tuple),
        categories=st.lists(TEXT, max_size=2).map(tuple),
        reminder_minutes=st.none() | st.integers(0, 10**5),
        canceled=st.booleans(),
        response=st.sampled_from(Response),
        created=st.none() | INSTANTS,
        recurrence=st.none() | RECURRENCES,
        exceptions=exceptions,
        deleted=st.lists(INSTANTS, max_size=2).map(tuple),
    )


SINGLES = _appointments(st.just(()))
APPOINTMENTS = _appointments(st.lists(SINGLES, max_size=2).map(tuple))


@settings(max_examples=60, deadline=None)
@given(APPOINTMENTS)
def test_an_appointment_comes_back_as_it_was(value: Appointment) -> None:
    """Encoding and decoding an appointment, series included, loses nothing."""
    assert decode(encode(value), Appointment) == value


@settings(max_examples=60, deadline=None)
@given(SINGLES, SINGLES)
def test_texts_are_equal_exactly_for_equal_appointments(one: Appointment, other: Appointment) -> None:
    """Two appointments have the same text if and only if they are equal."""
    assert (encode(one) == encode(other)) == (one == other)
    assert encode(one) == encode(replace(one))


def test_a_verdict_comes_back_as_it_was() -> None:
    """A stored verdict keeps its people and clashes."""
    clash = Clash(row_id="1", subject="s", start=NOW, end=NOW, show_as=ShowAs.BUSY, candidate_start=NOW, private=True)
    value = Verdict(
        unavailable=(Unavailable(user_id="u", full_name="U", clashes=(clash,)),), occurrences=2, clashing=(NOW,)
    )

    assert decode(encode(value), Verdict) == value
