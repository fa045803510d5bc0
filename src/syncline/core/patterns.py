"""The dates of a recurrence, by arithmetic on day numbers.

A pattern cuts time into periods (days, weeks, months, years) and puts the same number of candidates into each, so the
n-th candidate and the candidate nearest to a date are computed, never searched from the start: the cost does not depend
on how old a series is. Days are proleptic ordinals (`date.toordinal`). Nothing here knows times of day, zones or items.

Two rules are Exchange's and differ from RFC 5545 (ews-facts.md): a day of the month that a month does not have falls on
its last day, and a series begins at the first date that fits, in the period grid of the date asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from syncline.core.appointment import Pattern, PatternKind, Recurrence

LAST_ORDINAL = date.max.toordinal()
WORKDAYS = (0, 1, 2, 3, 4)
WEEKEND = (5, 6)
ALL_DAYS = (0, 1, 2, 3, 4, 5, 6)
# Kinds whose candidates lie equally far apart if each period has one.
_STEP_DAYS = {PatternKind.DAILY: 1, PatternKind.WEEKLY: 7}
_LAST_MONTH = 9999 * 12 + 11


def starts(recurrence: Recurrence, first_date: date, last_date: date) -> Iterator[date]:
    """Yield the dates of a recurrence within [first_date, last_date], deleted and moved ones included, one by one."""
    grid = _grid(recurrence)
    begin, end = max(first_date.toordinal(), grid.first), min(last_date.toordinal(), grid.last)
    if begin <= end:
        for number in range(grid.number_at(begin), grid.number_at(end + 1)):
            yield date.fromordinal(grid.candidate(number))


def ordinals(recurrence: Recurrence, low: int, high: int) -> Sequence[int]:
    """Return the day numbers of a recurrence within [low, high], ascending."""
    grid = _grid(recurrence)
    begin, end = max(low, grid.first), min(high, grid.last)
    if end < begin:
        return ()
    lowest = grid.number_at(begin)
    first, days = grid.candidate(lowest), _STEP_DAYS.get(recurrence.pattern.kind)
    if first > end:
        return ()
    if grid.size == 1 and days is not None:
        return range(first, end + 1, recurrence.pattern.interval * days)
    return [first, *(grid.candidate(number) for number in range(lowest + 1, grid.number_at(end + 1)))]


def occurrence_date(recurrence: Recurrence, index: int) -> date | None:
    """Return the date of the occurrence with that index, None outside the range.

    The index counts from 1 and counts deleted occurrences, as an OccurrenceItemId does.
    """
    if index < 1:
        return None
    grid = _grid(recurrence)
    ordinal = grid.candidate(grid.skipped + index - 1)
    return date.fromordinal(ordinal) if ordinal <= grid.last else None


def occurrence_index(recurrence: Recurrence, day: date) -> int | None:
    """Return the index (from 1) of the occurrence on that date, None if there is none."""
    ordinal, grid = day.toordinal(), _grid(recurrence)
    if not grid.first <= ordinal <= grid.last:
        return None
    number = grid.number_at(ordinal)
    return number - grid.skipped + 1 if grid.candidate(number) == ordinal else None


def last_date(recurrence: Recurrence) -> date | None:
    """Return the date of the last occurrence, None for an endless recurrence or one without any occurrence."""
    if recurrence.count is None and recurrence.until is None:
        return None
    grid = _grid(recurrence)
    number = grid.number_at(grid.last + 1) - 1
    return date.fromordinal(grid.candidate(number)) if number >= grid.skipped else None


def first_fitting(pattern: Pattern, day: date) -> date:
    """Return the first date from `day` on that fits, the period of `day` being the first one.

    With an interval above 1 the grid is RFC 5545's: every second Monday from a Wednesday begins twelve days later.
    Raise ValueError if there is none before the year 10000.
    """
    grid = _grid(Recurrence(pattern=pattern, first=day))
    return date.fromordinal(grid.candidate(grid.skipped))


class _Grid(Struct, frozen=True, gc=False):
    """A recurrence laid out for arithmetic: candidates are numbered from 0 in the period of the first date.

    `base` is that period, `size` how many candidates each period has, `skipped` how many of the first period lie before
    the first date, `last` the latest day number on which an occurrence may fall.
    """

    pattern: Pattern
    first: int
    base: int
    size: int
    skipped: int
    last: int = LAST_ORDINAL

    def candidate(self, number: int) -> int:
        """Return the day number of a candidate; beyond the calendar's end it is above `LAST_ORDINAL`."""
        period, place = divmod(number, self.size)
        return _IN_PERIOD[self.pattern.kind](self.pattern, self.base + period * self.pattern.interval)[place]

    def number_at(self, ordinal: int) -> int:
        """Return the number of the first candidate of the recurrence that is not before that day."""
        passed = _PERIOD[self.pattern.kind](self.pattern, ordinal) - self.base
        number = max(self.skipped, passed // self.pattern.interval * self.size)
        while self.candidate(number) < ordinal:
            number += 1
        return number


@lru_cache(maxsize=4096)
def _grid(recurrence: Recurrence) -> _Grid:
    pattern, first = recurrence.pattern, recurrence.first.toordinal()
    if pattern.kind is PatternKind.WEEKLY and not pattern.weekdays:
        raise ValueError("a weekly pattern without weekdays")
    base = _PERIOD[pattern.kind](pattern, first)
    begun = _IN_PERIOD[pattern.kind](pattern, base)
    skipped = sum(ordinal < first for ordinal in begun)
    grid = _Grid(pattern, first, base, len(begun), skipped)
    if recurrence.count is not None:
        return replace(grid, last=min(grid.candidate(skipped + recurrence.count - 1), LAST_ORDINAL))
    return replace(grid, last=recurrence.until.toordinal()) if recurrence.until is not None else grid


def _week(pattern: Pattern, ordinal: int) -> int:
    return (ordinal - 1 - pattern.first_weekday) // 7


def _days_of_week(pattern: Pattern, week: int) -> tuple[int, ...]:
    begin = week * 7 + 1 + pattern.first_weekday
    return tuple(sorted(begin + (weekday - pattern.first_weekday) % 7 for weekday in pattern.weekdays))


def _month(_pattern: Pattern, ordinal: int) -> int:
    day = date.fromordinal(min(ordinal, LAST_ORDINAL))
    return day.year * 12 + day.month - 1


def _year(_pattern: Pattern, ordinal: int) -> int:
    return date.fromordinal(min(ordinal, LAST_ORDINAL)).year


def _bounds(month: int) -> tuple[int, int]:
    """Return the day numbers [begin, end) of a month counted from year 0."""
    year, index = divmod(month, 12)
    begin = date(year, index + 1, 1).toordinal()
    end = date(year + (index == 11), (index + 1) % 12 + 1, 1).toordinal() if month < _LAST_MONTH else LAST_ORDINAL + 1
    return begin, end


def _day_of_month(pattern: Pattern, month: int) -> tuple[int, ...]:
    if month > _LAST_MONTH:
        return (LAST_ORDINAL + 1,)
    begin, end = _bounds(month)
    return (min(begin + pattern.day - 1, end - 1),)


def _nth_of_month(pattern: Pattern, month: int) -> tuple[int, ...]:
    if month > _LAST_MONTH:
        return (LAST_ORDINAL + 1,)
    begin, end = _bounds(month)
    fitting = [ordinal for ordinal in range(begin, end) if (ordinal - 1) % 7 in pattern.weekdays]
    return (fitting[pattern.nth - 1 if pattern.nth > 0 else pattern.nth],)


def _of_year(within: Callable[[Pattern, int], tuple[int, ...]]) -> Callable[[Pattern, int], tuple[int, ...]]:
    return lambda pattern, year: within(pattern, year * 12 + pattern.month - 1)


_PERIOD: dict[PatternKind, Callable[[Pattern, int], int]] = {
    PatternKind.DAILY: lambda _pattern, ordinal: ordinal,
    PatternKind.WEEKLY: _week,
    PatternKind.MONTHLY_DAY: _month,
    PatternKind.MONTHLY_NTH: _month,
    PatternKind.YEARLY_DAY: _year,
    PatternKind.YEARLY_NTH: _year,
}

# Day numbers of the candidates of one period, ascending and always equally many.
_IN_PERIOD: dict[PatternKind, Callable[[Pattern, int], tuple[int, ...]]] = {
    PatternKind.DAILY: lambda _pattern, day: (day,),
    PatternKind.WEEKLY: _days_of_week,
    PatternKind.MONTHLY_DAY: _day_of_month,
    PatternKind.MONTHLY_NTH: _nth_of_month,
    PatternKind.YEARLY_DAY: _of_year(_day_of_month),
    PatternKind.YEARLY_NTH: _of_year(_nth_of_month),
}
