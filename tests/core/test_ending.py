"""A series that is ended early (R-03): the dates that have begun stay as they are, and no other is left."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from syncline.core.appointment import Appointment, Identity, Pattern, PatternKind, Recurrence, Span
from syncline.core.ending import ended_early
from syncline.core.recurrence import Occurrence, occurrences
from syncline.core.times import all_day, blocking, instant
from syncline.core.validity import Problem, validate
from tests.core.series import ZONES, appointments

EVER = datetime.min.replace(tzinfo=UTC)
BEGIN = datetime(2026, 11, 23, 9, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
DAILY = Recurrence(pattern=Pattern(kind=PatternKind.DAILY), first=BEGIN.date())
SERIES = Appointment(identity=Identity("uid"), subject="Talk", span=Span(BEGIN, BEGIN + HOUR), recurrence=DAILY)


def part_on(day: int, **fields: object) -> Appointment:
    """Return the date of a day of the series as an exception."""
    span = Span(BEGIN + day * DAY, BEGIN + day * DAY + HOUR)
    plain = replace(SERIES, identity=Identity("uid", span.start), span=span, recurrence=None)
    return replace(plain, **fields)


def standing(series: Appointment, until: datetime) -> dict[datetime, Occurrence]:
    """Return the dates of a series that begin until an instant, or about then, by original start."""
    return {each.original_start: each for each in occurrences(series, EVER, until + 3 * DAY)}


def begins(series: Appointment, each: Occurrence) -> datetime:
    """Return when a date begins, a whole day in its own zone."""
    return blocking(each.span, (each.exception or series).zone)[0]


@pytest.mark.rule("R-03")
@settings(deadline=None, max_examples=400)
@given(appointments().filter(lambda each: each.recurrence is not None), st.integers(-30, 900), st.integers(0, 24 * 60))
def test_what_has_begun_stays_and_nothing_else(series: Appointment, days: int, minutes: int) -> None:
    """For every pattern, range, zone and instant: no begun date is lost or changed, none to come is left.

    Nothing is found only where no date has begun.
    """
    now = series.span.start + timedelta(days=days, minutes=minutes)
    kept = {start: each for start, each in standing(series, now).items() if begins(series, each) <= now}
    ended = ended_early(series, now)

    if ended is None:
        assert kept == {}
        return
    assert standing(ended, datetime.max.replace(tzinfo=UTC) - 9 * DAY) == kept
    assert replace(ended, recurrence=series.recurrence, exceptions=series.exceptions, deleted=series.deleted) == series
    assert ended.exceptions == tuple(part for part in series.exceptions if part in ended.exceptions)
    assert ended_early(ended, now) == ended


@pytest.mark.rule("R-03")
@settings(deadline=None, max_examples=200)
@given(appointments().filter(lambda each: each.recurrence is not None), st.integers(-30, 900))
def test_an_ended_series_is_one_that_exchange_could_hold(series: Appointment, days: int) -> None:
    """Its range, its exceptions and its deleted dates are no worse than they were."""
    ended = ended_early(series, series.span.start + timedelta(days=days))

    assert ended is None or set(validate(ended)) <= set(validate(series))


@pytest.mark.rule("R-03")
@pytest.mark.parametrize("end", [{}, {"count": 9}, {"until": date(2026, 12, 24)}])
@pytest.mark.parametrize("zone", ZONES)
def test_the_range_ends_with_the_date_that_runs(end: dict[str, object], zone: str) -> None:
    """Endless, counted or until a day: from the third of nine days on, the first three are left, in every zone."""
    span = Span(*(instant(datetime(2026, 11, 23, hour), zone) for hour in (9, 10)))
    series = replace(SERIES, span=span, zone=zone, recurrence=replace(DAILY, **end))
    ended = ended_early(series, span.start + 2 * DAY)

    assert ended == replace(series, recurrence=replace(DAILY, until=date(2026, 11, 25)))
    assert validate(ended) == []


@pytest.mark.rule("R-03")
def test_what_is_said_of_later_dates_is_forgotten() -> None:
    """Exceptions and deletions until now stay, those after it go with their dates."""
    early, late = part_on(1, location="Here"), part_on(5, location="There")
    series = replace(SERIES, exceptions=(early, late), deleted=(BEGIN, BEGIN + 6 * DAY))
    ended = ended_early(series, BEGIN + 3 * DAY + HOUR)

    assert ended is not None
    assert (ended.exceptions, ended.deleted) == ((early,), (BEGIN,))


@pytest.mark.rule("R-03")
def test_a_moved_date_counts_where_it_stands() -> None:
    """What was put off until after now goes, though its place in the series is past; what was brought forward stays."""
    put_off = part_on(1, span=Span(BEGIN + 4 * DAY, BEGIN + 4 * DAY + HOUR))
    forward = part_on(5, span=Span(BEGIN + 2 * DAY, BEGIN + 2 * DAY + HOUR))
    ended = ended_early(replace(SERIES, exceptions=(put_off, forward)), BEGIN + 2 * DAY + HOUR)

    assert ended is not None
    assert [each.span.start for each in standing(ended, BEGIN + 99 * DAY).values()] == [
        BEGIN,
        BEGIN + 2 * DAY,
        BEGIN + 2 * DAY,
    ]
    assert (ended.exceptions, validate(ended)) == ((forward,), [Problem.EXCEPTION_CROSSING])


@pytest.mark.rule("R-03")
@pytest.mark.parametrize(("zone", "last"), [("Pacific/Auckland", 25), ("UTC", 24), ("America/New_York", 24)])
def test_a_whole_day_begins_at_its_midnight(zone: str, last: int) -> None:
    """At noon UTC of a Tuesday it is Wednesday in New Zealand."""
    series = replace(SERIES, span=all_day(BEGIN.date(), BEGIN.date() + DAY), zone=zone)
    ended = ended_early(series, BEGIN + DAY + 3 * HOUR)

    assert ended is not None
    assert ended.recurrence == replace(DAILY, until=date(2026, 11, last))


@pytest.mark.rule("R-03")
def test_what_is_over_stays_as_it_is_and_what_has_not_begun_cannot_end() -> None:
    """Also where only deleted dates would be left, or only deleted ones are to come."""
    three = replace(SERIES, recurrence=replace(DAILY, count=3))
    first_gone, last_gone = replace(three, deleted=(BEGIN,)), replace(three, deleted=(BEGIN + 2 * DAY,))

    assert ended_early(three, BEGIN + 9 * DAY) is three
    assert ended_early(last_gone, BEGIN + DAY) is last_gone
    assert ended_early(three, BEGIN - HOUR) is None
    assert ended_early(first_gone, BEGIN + HOUR) is None
