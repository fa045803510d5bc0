"""Occurrences of a series: wall time kept, exceptions and deletions applied."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncline.core.appointment import Appointment, Identity, Pattern, PatternKind, Recurrence, Span
from syncline.core.recurrence import (
    occurrence_day,
    occurrence_index,
    occurrence_span,
    occurrences,
    original_start,
    starts,
)
from syncline.core.times import instant, wall
from tests.core.series import ZONES, appointments, oracle_dates, zoneinfo_instant

DAILY = Pattern(kind=PatternKind.DAILY)
EVER = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


def daily(zone: str, begin: datetime, end: datetime, **more: object) -> Appointment:
    """Give a daily series of ten that begins at a wall time of the zone."""
    span = Span(zoneinfo_instant(begin, zone), zoneinfo_instant(end, zone))
    recurrence = Recurrence(pattern=DAILY, first=begin.date(), count=10)
    return Appointment(identity=Identity("daily"), span=span, zone=zone, recurrence=recurrence, **more)  # type: ignore[arg-type]


def walked(series: Appointment, start: datetime, end: datetime) -> list[tuple[datetime, datetime, datetime]]:
    """Expand a window the slow way: every date of three years around it, one by one."""
    assert series.recurrence is not None
    low, high = start.date() - timedelta(days=40), end.date() + timedelta(days=40)
    moved = {each.identity.original_start: each for each in series.exceptions}
    rows = [(original, each.span.start, each.span.end, each.span.all_day) for original, each in moved.items()]
    for day in oracle_dates(series.recurrence, low, high):
        span = occurrence_span(series, day)
        if span.start not in moved and span.start not in series.deleted:
            rows.append((span.start, span.start, span.end, span.all_day))
    slack = timedelta(days=1)
    found = []
    for original, begin, finish, all_day in rows:
        wide = slack if all_day else timedelta(0)
        if begin - wide < end and (finish + wide > start or begin >= start):
            found.append((begin, original, finish))
    return sorted(found)


@pytest.mark.rule("R-10")
@settings(deadline=None, max_examples=300)
@given(appointments(), st.integers(-100, 1500), st.integers(0, 200))
def test_a_window_of_a_series_equals_the_slow_way(series: Appointment, offset: int, length: int) -> None:
    """Any window of any series holds the same occurrences as expanding it date by date, in order of start."""
    start = series.span.start + timedelta(days=offset, hours=5)
    end = start + timedelta(days=length)
    found = [(each.span.start, each.original_start, each.span.end) for each in occurrences(series, start, end)]
    if series.recurrence is not None:
        assert found == walked(series, start, end)
    else:
        assert len(found) <= 1


@settings(deadline=None, max_examples=200)
@given(appointments(), st.integers(0, 1500))
def test_wall_time_is_kept_over_clock_changes(series: Appointment, offset: int) -> None:
    """Every occurrence begins at the wall time of the first one, unless that does not exist on its day."""
    if series.recurrence is None or series.span.all_day:
        return
    first = wall(series.span.start, series.zone)
    low = first.date() + timedelta(days=offset)
    for day in starts(series.recurrence, low, low + timedelta(days=60)):
        begins, wanted = wall(original_start(series, day), series.zone), datetime.combine(day, first.time())
        # A wall time that does not exist is read twice: with the offset before the gap and the one after it.
        exists = wall(instant(wanted, series.zone), series.zone) == wanted
        assert begins == wanted if exists else begins > wanted
        assert occurrence_span(series, day).end >= occurrence_span(series, day).start


@settings(deadline=None, max_examples=200)
@given(appointments())
def test_the_first_occurrence_is_the_span_itself(series: Appointment) -> None:
    """The pattern puts the first occurrence exactly where the series' span is."""
    if series.recurrence is not None:
        assert occurrence_span(series, series.recurrence.first) == series.span


@settings(deadline=None, max_examples=200)
@given(appointments())
def test_an_original_start_names_its_day(series: Appointment) -> None:
    """The date of an occurrence and its original start lead to each other."""
    if series.recurrence is None:
        return
    for day in islice(starts(series.recurrence, date.min, date.max), 40):
        assert occurrence_day(series, original_start(series, day)) == day
        assert occurrence_day(series, original_start(series, day) + timedelta(seconds=1)) is None


def test_the_end_keeps_its_wall_time_too() -> None:
    """A meeting over the hour that comes twice lasts an hour longer, one over the missing hour an hour less."""
    back = daily("Europe/Berlin", datetime(2026, 10, 20, 1, 30), datetime(2026, 10, 20, 3, 30))
    assert occurrence_span(back, date(2026, 10, 25)) == Span(
        datetime(2026, 10, 24, 23, 30, tzinfo=UTC), datetime(2026, 10, 25, 2, 30, tzinfo=UTC)
    )
    forth = daily("Europe/Berlin", datetime(2026, 3, 25, 1, 30), datetime(2026, 3, 25, 3, 30))
    assert occurrence_span(forth, date(2026, 3, 29)) == Span(
        datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    )


def test_a_span_never_ends_before_it_starts() -> None:
    """A meeting that starts in the missing hour and ends right after it keeps its length."""
    series = daily("Europe/Berlin", datetime(2026, 3, 25, 2, 30), datetime(2026, 3, 25, 3, 0))
    found = occurrence_span(series, date(2026, 3, 29))
    assert found == Span(datetime(2026, 3, 29, 1, 30, tzinfo=UTC), datetime(2026, 3, 29, 2, 0, tzinfo=UTC))


def test_a_start_moved_past_midnight_still_has_its_day() -> None:
    """Where the gap swallows 23:45, the occurrence starts on the next date and still belongs to its own."""
    key = "custom:0;7200@6-10T84600;0@9-10T84600"
    begin = datetime(2026, 6, 8, 23, 45, tzinfo=UTC)
    series = Appointment(
        identity=Identity("late"),
        span=Span(begin, begin + timedelta(minutes=5)),
        zone=key,
        recurrence=Recurrence(pattern=DAILY, first=date(2026, 6, 8), count=9),
    )
    late = original_start(series, date(2026, 6, 10))
    assert wall(late, key) == datetime(2026, 6, 11, 1, 45)
    assert occurrence_day(series, late) == date(2026, 6, 10)


def test_a_moved_occurrence_is_found_where_it_is() -> None:
    """An exception moved out of the window is not in it, one moved in is, and it keeps its original start."""
    plain = daily("UTC", datetime(2026, 5, 1, 9), datetime(2026, 5, 1, 10))
    original = datetime(2026, 5, 3, 9, tzinfo=UTC)
    later = Span(datetime(2026, 5, 20, 9, tzinfo=UTC), datetime(2026, 5, 20, 10, tzinfo=UTC))
    moved = Appointment(identity=Identity("daily", original), span=later)
    series = daily(
        "UTC",
        datetime(2026, 5, 1, 9),
        datetime(2026, 5, 1, 10),
        exceptions=(moved,),
        deleted=(datetime(2026, 5, 4, 9, tzinfo=UTC),),
    )
    window = datetime(2026, 5, 3, tzinfo=UTC), datetime(2026, 5, 6, tzinfo=UTC)
    assert [each.span.start.day for each in occurrences(plain, *window)] == [3, 4, 5]
    assert [each.span.start.day for each in occurrences(series, *window)] == [5]
    found = list(occurrences(series, datetime(2026, 5, 20, tzinfo=UTC), EVER[1]))
    assert [(each.original_start, each.span, each.exception) for each in found] == [(original, later, moved)]


def test_the_index_counts_deleted_occurrences() -> None:
    """Deleting an occurrence leaves the numbers of the others as they were."""
    series = daily(
        "UTC", datetime(2026, 5, 1, 9), datetime(2026, 5, 1, 10), deleted=(datetime(2026, 5, 2, 9, tzinfo=UTC),)
    )
    assert series.recurrence is not None
    assert occurrence_index(series.recurrence, date(2026, 5, 3)) == 3
    assert [each.span.start.day for each in occurrences(series, *EVER)] == [1, 3, 4, 5, 6, 7, 8, 9, 10]


def test_a_single_yields_itself() -> None:
    """A single is its own only occurrence, named by its original start if it has one."""
    span = Span(datetime(2026, 5, 1, 9, tzinfo=UTC), datetime(2026, 5, 1, 9, tzinfo=UTC))
    single = Appointment(identity=Identity("one"), span=span)
    assert [each.original_start for each in occurrences(single, span.start, EVER[1])] == [span.start]
    assert list(occurrences(single, span.start + timedelta(seconds=1), EVER[1])) == []
    original = datetime(2026, 4, 1, tzinfo=UTC)
    lone = Appointment(identity=Identity("one", original), span=span)
    assert [each.original_start for each in occurrences(lone, *EVER)] == [original]


@pytest.mark.parametrize("zone", ZONES)
def test_an_endless_series_is_expanded_lazily(zone: str) -> None:
    """The next occurrences of a series without end are there at once, from any moment."""
    begin = datetime(1999, 12, 31, 23, 30, tzinfo=UTC)
    first = wall(begin, zone).date()
    recurrence = Recurrence(pattern=Pattern(kind=PatternKind.DAILY, interval=999), first=first)
    series = Appointment(identity=Identity("endless"), span=Span(begin, begin), zone=zone, recurrence=recurrence)
    found = list(islice(occurrences(series, datetime(2500, 1, 1, tzinfo=UTC), EVER[1]), 3))
    days = [wall(each.original_start, zone).date() for each in found]
    assert days == list(islice(starts(recurrence, days[0], date.max), 3))
    assert sum(1 for _ in occurrences(series, datetime(9900, 1, 1, tzinfo=UTC), EVER[1])) > 30


def test_all_day_series_are_dates() -> None:
    """An all-day series in any zone has spans from 00:00 UTC to 00:00 UTC, compared with a day of slack."""
    begin = datetime.combine(date(2026, 5, 4), time(), UTC)
    series = Appointment(
        identity=Identity("days"),
        span=Span(begin, begin + timedelta(days=2), all_day=True),
        zone="America/New_York",
        recurrence=Recurrence(pattern=Pattern(kind=PatternKind.WEEKLY, weekdays=(0,)), first=date(2026, 5, 4)),
    )
    found = list(occurrences(series, datetime(2026, 5, 13, tzinfo=UTC), datetime(2026, 5, 17, 12, tzinfo=UTC)))
    assert [each.span.start.date() for each in found] == [date(2026, 5, 11), date(2026, 5, 18)]
    assert all(each.span.all_day and each.span.end - each.span.start == timedelta(days=2) for each in found)
