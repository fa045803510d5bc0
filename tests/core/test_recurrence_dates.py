"""Dates of a recurrence: arithmetic against dateutil."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncline.core import patterns as core_patterns
from syncline.core.appointment import Pattern, PatternKind, Recurrence
from syncline.core.recurrence import first_fitting, last_date, occurrence_date, occurrence_index, starts
from tests.core.series import dates, oracle, oracle_dates, patterns, recurrences

MONDAYS = Pattern(kind=PatternKind.WEEKLY, weekdays=(0,))


@pytest.mark.rule("R-09")
@settings(deadline=None, max_examples=400)
@given(recurrences(), st.integers(-400, 4000), st.integers(0, 900))
def test_dates_of_a_window_are_dateutils(recurrence: Recurrence, offset: int, length: int) -> None:
    """Any window of any recurrence holds the dates that RFC 5545 gives, clamped as Exchange clamps."""
    low = recurrence.first + timedelta(days=offset)
    high = low + timedelta(days=length)
    assert list(starts(recurrence, low, high)) == list(oracle_dates(recurrence, low, high))


@pytest.mark.rule("R-09")
@settings(deadline=None, max_examples=300)
@given(patterns(), dates)
def test_a_series_begins_at_the_first_date_that_fits(pattern: Pattern, day: date) -> None:
    """The first fitting date is the first one dateutil gives for a rule that starts there."""
    assert first_fitting(pattern, day) == oracle(Recurrence(pattern=pattern, first=day))[0].date()


@settings(deadline=None, max_examples=300)
@given(recurrences(finite=True))
def test_an_index_counts_from_one(recurrence: Recurrence) -> None:
    """Index and date of every occurrence lead to each other, and the last date is the last of them."""
    listed = [at.date() for at in oracle(recurrence)]
    for index, day in enumerate(listed, 1):
        assert occurrence_date(recurrence, index) == day
        assert occurrence_index(recurrence, day) == index
    assert occurrence_date(recurrence, len(listed) + 1) is None
    assert last_date(recurrence) == listed[-1]


@settings(deadline=None)
@given(recurrences(), st.integers(-10, 800))
def test_a_date_off_the_pattern_has_no_index(recurrence: Recurrence, offset: int) -> None:
    """A date has an index exactly if the recurrence holds it."""
    day = recurrence.first + timedelta(days=offset)
    assert (occurrence_index(recurrence, day) is not None) == (day in list(starts(recurrence, day, day)))


@pytest.mark.parametrize(
    ("pattern", "day", "expected"),
    [
        (Pattern(kind=PatternKind.MONTHLY_DAY, day=31), date(2026, 1, 31), ["2026-01-31", "2026-02-28", "2026-03-31"]),
        (Pattern(kind=PatternKind.MONTHLY_DAY, day=30), date(2024, 1, 30), ["2024-01-30", "2024-02-29", "2024-03-30"]),
        (
            Pattern(kind=PatternKind.YEARLY_DAY, day=29, month=2),
            date(2024, 2, 29),
            ["2024-02-29", "2025-02-28", "2026-02-28"],
        ),
        (
            Pattern(kind=PatternKind.MONTHLY_NTH, nth=-1, weekdays=(0, 1, 2, 3, 4)),
            date(2026, 1, 30),
            ["2026-01-30", "2026-02-27", "2026-03-31"],
        ),
        (
            Pattern(kind=PatternKind.WEEKLY, interval=2, weekdays=(1, 6), first_weekday=6),
            date(2026, 11, 22),
            ["2026-11-22", "2026-11-24", "2026-12-06"],
        ),
    ],
)
@pytest.mark.rule("R-09")
def test_published_dates(pattern: Pattern, day: date, expected: list[str]) -> None:
    """Days 29 to 31 fall on the last day of shorter months, and the week begins where the pattern says."""
    found = starts(Recurrence(pattern=pattern, first=day, count=3), date.min, date.max)
    assert [each.isoformat() for each in found] == expected


def test_a_year_of_999_counts_is_not_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking for one week of a series costs the same after a hundred years as in its first."""
    looked: list[int] = []
    table = core_patterns._IN_PERIOD
    counted = {
        kind: lambda pattern, period, of=of: (looked.append(period), of(pattern, period))[1]
        for kind, of in table.items()
    }
    monkeypatch.setattr(core_patterns, "_IN_PERIOD", counted)
    pattern = Pattern(kind=PatternKind.WEEKLY, weekdays=(0, 2, 4))
    costs = []
    for year in (1930, 2030):
        looked.clear()
        window = date(year, 5, 1), date(year, 5, 7)
        assert len(list(starts(Recurrence(pattern=pattern, first=date(1925, 1, 5)), *window))) == 3
        costs.append(len(looked))
    assert costs[1] <= costs[0]


@pytest.mark.parametrize("kind", PatternKind)
def test_the_calendar_ends_in_the_year_9999(kind: PatternKind) -> None:
    """An endless recurrence stops at the calendar's end instead of failing."""
    pattern = Pattern(kind=kind, interval=7, weekdays=(4,), day=31, nth=1, month=12 if "yearly" in kind else 0)
    first = first_fitting(pattern, date(9800, 1, 1))
    recurrence = Recurrence(pattern=pattern, first=first, count=999)
    found = list(starts(Recurrence(pattern=pattern, first=first), date(9990, 1, 1), date.max))
    wanted = oracle(Recurrence(pattern=pattern, first=first))
    assert found == [at.date() for at in wanted.between(datetime(9990, 1, 1), datetime.max)]
    last = last_date(recurrence)
    assert last is not None
    assert occurrence_index(recurrence, last) == len(list(starts(recurrence, first, date.max)))


def test_an_empty_range_has_no_dates() -> None:
    """A recurrence that ends before it begins has no occurrence and no last date."""
    recurrence = Recurrence(pattern=MONDAYS, first=date(2026, 11, 23), until=date(2026, 11, 1))
    assert list(starts(recurrence, date.min, date.max)) == []
    assert last_date(recurrence) is None
    assert occurrence_date(recurrence, 1) is None
    assert occurrence_date(recurrence, 0) is None


def test_an_endless_recurrence_has_no_last_date() -> None:
    """Without count and until there is no last date."""
    assert last_date(Recurrence(pattern=MONDAYS, first=date(2026, 11, 23))) is None


def test_a_weekly_pattern_needs_a_day() -> None:
    """A weekly pattern without weekdays is refused, not taken for something else."""
    with pytest.raises(ValueError, match="without weekdays"):
        first_fitting(Pattern(kind=PatternKind.WEEKLY), date(2026, 1, 1))


def test_nothing_fits_after_the_end_of_the_calendar() -> None:
    """A pattern whose first date would lie in the year 10000 is refused."""
    with pytest.raises(ValueError, match="out of range"):
        first_fitting(Pattern(kind=PatternKind.YEARLY_DAY, day=1, month=1), date(9999, 1, 2))


def test_a_week_is_two_weeks_from_a_date_off_the_pattern() -> None:
    """Every second Monday asked for on a Wednesday begins on the Monday of the week after next."""
    pattern = Pattern(kind=PatternKind.WEEKLY, interval=2, weekdays=(0,))
    assert first_fitting(pattern, date(2026, 11, 25)) == date(2026, 12, 7)
    assert datetime.combine(first_fitting(pattern, date(2026, 11, 23)), time()) == datetime(2026, 11, 23)
