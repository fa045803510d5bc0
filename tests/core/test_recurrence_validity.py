"""What is wrong with a series."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from syncline.core.appointment import Appointment, Identity, Pattern, PatternKind, Recurrence, Span
from syncline.core.validity import Problem, misplaced, validate
from tests.core.series import appointments

BEGIN = datetime(2026, 11, 23, 9, tzinfo=UTC)  # a Monday
WEEKLY = Recurrence(pattern=Pattern(kind=PatternKind.WEEKLY, weekdays=(0,)), first=BEGIN.date())
SERIES = Appointment(identity=Identity("s"), span=Span(BEGIN, BEGIN + timedelta(hours=1)), recurrence=WEEKLY)
WEEK = timedelta(days=7)


def moved(index: int, by: timedelta, length: timedelta = timedelta(hours=1)) -> Appointment:
    """Give an exception: occurrence number `index` (from 0) moved by a time."""
    original = BEGIN + index * WEEK
    return Appointment(identity=Identity("s", original), span=Span(original + by, original + by + length))


def with_recurrence(**changes: object) -> Appointment:
    """Give the series with another recurrence."""
    return replace(SERIES, recurrence=replace(WEEKLY, **changes))


@pytest.mark.parametrize(
    ("series", "problems"),
    [
        (SERIES, []),
        (replace(SERIES, recurrence=None), []),
        (with_recurrence(count=999), []),
        (with_recurrence(count=1000), [Problem.COUNT_OUT_OF_RANGE]),
        (with_recurrence(count=0), [Problem.COUNT_OUT_OF_RANGE]),
        (with_recurrence(count=5, until=date(2027, 1, 1)), [Problem.COUNT_AND_UNTIL]),
        (with_recurrence(until=date(2026, 1, 1)), [Problem.RANGE_EMPTY]),
        (with_recurrence(pattern=replace(WEEKLY.pattern, interval=99)), []),
        (with_recurrence(pattern=replace(WEEKLY.pattern, interval=100)), [Problem.INTERVAL_OUT_OF_RANGE]),
        (with_recurrence(pattern=replace(WEEKLY.pattern, interval=0)), [Problem.INTERVAL_OUT_OF_RANGE]),
        (with_recurrence(pattern=Pattern(kind=PatternKind.DAILY, interval=999)), []),
        (
            with_recurrence(pattern=Pattern(kind=PatternKind.DAILY, interval=1000)),
            [Problem.INTERVAL_OUT_OF_RANGE],
        ),
        (with_recurrence(pattern=Pattern(kind=PatternKind.WEEKLY)), [Problem.PATTERN_INCOMPLETE]),
        (with_recurrence(pattern=Pattern(kind=PatternKind.MONTHLY_DAY)), [Problem.PATTERN_INCOMPLETE]),
        (with_recurrence(pattern=Pattern(kind=PatternKind.MONTHLY_NTH, nth=5)), [Problem.PATTERN_INCOMPLETE]),
        (with_recurrence(pattern=Pattern(kind=PatternKind.YEARLY_DAY, day=3)), [Problem.PATTERN_INCOMPLETE]),
        (
            with_recurrence(pattern=Pattern(kind=PatternKind.YEARLY_NTH, nth=1, weekdays=(9,), month=1)),
            [Problem.PATTERN_INCOMPLETE],
        ),
        (with_recurrence(first=date(2026, 11, 24)), [Problem.FIRST_OFF_PATTERN]),
        (with_recurrence(first=date(2026, 11, 30)), [Problem.FIRST_OFF_PATTERN]),
        (replace(SERIES, span=Span(BEGIN, BEGIN + timedelta(days=8))), [Problem.OCCURRENCES_OVERLAP]),
        (replace(SERIES, deleted=(BEGIN + WEEK,)), []),
        (replace(SERIES, deleted=(BEGIN + timedelta(days=1),)), [Problem.DELETED_OFF_PATTERN]),
    ],
)
def test_limits_and_ranges(series: Appointment, problems: list[Problem]) -> None:
    """Intervals, counts, ranges and deleted occurrences outside Exchange's limits are named."""
    assert validate(series) == problems


@pytest.mark.parametrize(
    ("series", "problems"),
    [
        (replace(SERIES, exceptions=(moved(1, timedelta(days=6)),)), []),
        (replace(SERIES, exceptions=(moved(1, timedelta(days=-6)),)), []),
        (replace(SERIES, exceptions=(moved(1, timedelta(days=7, hours=3)),)), [Problem.EXCEPTION_CROSSING]),
        (replace(SERIES, exceptions=(moved(1, timedelta(days=-7, hours=3)),)), [Problem.EXCEPTION_CROSSING]),
        (replace(SERIES, exceptions=(moved(1, timedelta(days=30)),)), [Problem.EXCEPTION_CROSSING]),
        (replace(SERIES, exceptions=(moved(1, timedelta(days=6), timedelta(days=2)),)), [Problem.EXCEPTION_CROSSING]),
        (replace(SERIES, exceptions=(moved(0, timedelta(days=-300)),)), []),
        (replace(SERIES, exceptions=(moved(1, timedelta(days=9)),), deleted=(BEGIN + 2 * WEEK,)), []),
        (replace(SERIES, exceptions=(moved(1, timedelta(days=9)), moved(2, timedelta(days=4)))), []),
        (
            replace(SERIES, exceptions=(moved(1, timedelta(days=4)), moved(2, timedelta(days=-3)))),
            [Problem.EXCEPTION_CROSSING],
        ),
        (with_recurrence(count=1), []),
    ],
)
def test_an_exception_stays_between_its_neighbours(series: Appointment, problems: list[Problem]) -> None:
    """A moved occurrence may not reach, pass or overlap its neighbours where they stand now; deleted ones make room."""
    assert validate(series) == problems


def test_an_exception_needs_an_occurrence() -> None:
    """An exception of a date that the series does not have is named by its original start."""
    stray = Appointment(identity=Identity("s", BEGIN + timedelta(days=2)), span=SERIES.span)
    late = replace(with_recurrence(count=1), exceptions=(moved(1, timedelta(0)),))
    nameless = replace(SERIES, exceptions=(Appointment(identity=Identity("s"), span=SERIES.span),))
    assert misplaced(replace(SERIES, exceptions=(stray,))) == {BEGIN + timedelta(days=2): Problem.EXCEPTION_OFF_PATTERN}
    assert validate(late) == [Problem.EXCEPTION_OFF_PATTERN]
    assert validate(nameless) == [Problem.EXCEPTION_OFF_PATTERN]


@settings(deadline=None, max_examples=200)
@given(appointments())
def test_series_by_pattern_are_sound(series: Appointment) -> None:
    """A made-up series has no problem but long occurrences and exceptions that cross."""
    assert set(validate(series)) <= {Problem.OCCURRENCES_OVERLAP, Problem.EXCEPTION_CROSSING}
