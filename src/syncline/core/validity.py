"""Whether a series is one that Exchange could hold: limits, ranges, and exceptions that stay in their place.

Sources: ews-facts.md (limits, ErrorOccurrenceCrossingBoundary, ErrorOccurrenceTimeSpanTooBig). The module names what is
wrong; whether that refuses an item, changes it or is only shown is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from enum import StrEnum

from msgspec import Struct

from syncline.core.appointment import Appointment, Pattern, PatternKind, Recurrence, Span
from syncline.core.patterns import first_fitting, occurrence_date, occurrence_index
from syncline.core.recurrence import occurrence_day, occurrence_span
from syncline.core.rrule import COUNT_MAX, interval_max
from syncline.core.times import blocking, wall


class Problem(StrEnum):
    """What is wrong with a series."""

    PATTERN_INCOMPLETE = "pattern_incomplete"
    INTERVAL_OUT_OF_RANGE = "interval_out_of_range"
    COUNT_OUT_OF_RANGE = "count_out_of_range"
    COUNT_AND_UNTIL = "count_and_until"
    RANGE_EMPTY = "range_empty"
    FIRST_OFF_PATTERN = "first_off_pattern"
    OCCURRENCES_OVERLAP = "occurrences_overlap"
    EXCEPTION_OFF_PATTERN = "exception_off_pattern"
    EXCEPTION_CROSSING = "exception_crossing"
    DELETED_OFF_PATTERN = "deleted_off_pattern"


def validate(appointment: Appointment) -> list[Problem]:
    """Return what is wrong with a series, each problem once; nothing for a single.

    If the pattern itself cannot be laid out, its occurrences are not looked at.
    """
    recurrence = appointment.recurrence
    if recurrence is None:
        return []
    problems = list(_range_problems(recurrence))
    if Problem.PATTERN_INCOMPLETE in problems or Problem.INTERVAL_OUT_OF_RANGE in problems:
        return problems
    problems.extend(_first_problems(appointment, recurrence))
    found = {*problems, *misplaced(appointment).values()}
    if any(occurrence_day(appointment, original) is None for original in appointment.deleted):
        found.add(Problem.DELETED_OFF_PATTERN)
    return [problem for problem in Problem if problem in found]


def misplaced(appointment: Appointment) -> dict[datetime, Problem]:
    """Return the exceptions of a series that are not where they may be, by original start.

    An exception may not reach or pass the day of its neighbours as they stand now, nor overlap them; deleted
    occurrences are no neighbours.
    """
    standing = _Standing.of(appointment)
    found: dict[datetime, Problem] = {}
    for exception in appointment.exceptions:
        original = exception.identity.original_start
        day = None if original is None else occurrence_day(appointment, original)
        if original is None or day is None:
            found[original or exception.span.start] = Problem.EXCEPTION_OFF_PATTERN
        elif standing.crossed(day):
            found[original] = Problem.EXCEPTION_CROSSING
    return found


class _Standing(Struct, frozen=True, gc=False):
    """The occurrences of a series as they stand, by their date in the pattern."""

    appointment: Appointment
    recurrence: Recurrence
    moved: dict[date, Span]
    deleted: frozenset[date]

    @classmethod
    def of(cls, appointment: Appointment) -> _Standing:
        """Return the standing of a series."""
        assert appointment.recurrence is not None
        moved = {
            day: exception.span
            for exception in appointment.exceptions
            if (original := exception.identity.original_start) and (day := occurrence_day(appointment, original))
        }
        deleted = (occurrence_day(appointment, original) for original in appointment.deleted)
        return cls(appointment, appointment.recurrence, moved, frozenset(day for day in deleted if day) - moved.keys())

    def crossed(self, day: date) -> bool:
        """Return whether the occurrence of that date reaches, passes or overlaps one of its neighbours."""
        ours = self._place(self._span(day))
        before, after = self._neighbour(day, -1), self._neighbour(day, 1)
        return (before is not None and not _apart(self._place(before), ours)) or (
            after is not None and not _apart(ours, self._place(after))
        )

    def _neighbour(self, day: date, step: int) -> Span | None:
        index = occurrence_index(self.recurrence, day)
        assert index is not None
        near: date | None = day
        while near is not None and (near == day or near in self.deleted):
            index += step
            near = occurrence_date(self.recurrence, index)
        return None if near is None else self._span(near)

    def _span(self, day: date) -> Span:
        return self.moved.get(day) or occurrence_span(self.appointment, day)

    def _place(self, span: Span) -> tuple[date, datetime, datetime]:
        zone = self.appointment.zone
        begins = span.start.date() if span.all_day else wall(span.start, zone).date()
        return begins, *blocking(span, zone)


def _apart(earlier: tuple[date, datetime, datetime], later: tuple[date, datetime, datetime]) -> bool:
    return earlier[0] < later[0] and earlier[2] <= later[1]


def _range_problems(recurrence: Recurrence) -> Iterator[Problem]:
    pattern = recurrence.pattern
    if not _COMPLETE[pattern.kind](pattern):
        yield Problem.PATTERN_INCOMPLETE
    if not 1 <= pattern.interval <= interval_max(pattern.kind):
        yield Problem.INTERVAL_OUT_OF_RANGE
    if recurrence.count is not None and not 1 <= recurrence.count <= COUNT_MAX:
        yield Problem.COUNT_OUT_OF_RANGE
    if recurrence.count is not None and recurrence.until is not None:
        yield Problem.COUNT_AND_UNTIL
    if recurrence.until is not None and recurrence.until < recurrence.first:
        yield Problem.RANGE_EMPTY


def _first_problems(appointment: Appointment, recurrence: Recurrence) -> Iterator[Problem]:
    span, first = appointment.span, recurrence.first
    begins = span.start.date() if span.all_day else wall(span.start, appointment.zone).date()
    if begins != first or first_fitting(recurrence.pattern, first) != first:
        yield Problem.FIRST_OFF_PATTERN
    second = occurrence_date(recurrence, 2)
    if second is not None and occurrence_span(appointment, second).start < span.end:
        yield Problem.OCCURRENCES_OVERLAP


def _has_day(pattern: Pattern) -> bool:
    return 1 <= pattern.day <= 31


def _has_nth(pattern: Pattern) -> bool:
    return pattern.nth in (1, 2, 3, 4, -1) and _has_weekdays(pattern)


def _has_month(pattern: Pattern) -> bool:
    return 1 <= pattern.month <= 12


def _has_weekdays(pattern: Pattern) -> bool:
    return bool(pattern.weekdays) and set(pattern.weekdays) <= set(range(7))


_COMPLETE: dict[PatternKind, Callable[[Pattern], bool]] = {
    PatternKind.DAILY: lambda _pattern: True,
    PatternKind.WEEKLY: _has_weekdays,
    PatternKind.MONTHLY_DAY: _has_day,
    PatternKind.MONTHLY_NTH: _has_nth,
    PatternKind.YEARLY_DAY: lambda pattern: _has_day(pattern) and _has_month(pattern),
    PatternKind.YEARLY_NTH: lambda pattern: _has_nth(pattern) and _has_month(pattern),
}
