"""A series as its occurrences: wall time kept over clock changes, exceptions and deletions applied.

An occurrence is (series, original start) and is never stored; this module computes it for any window without walking
from the first one. Wall time of start *and* of end stay as they are at the first occurrence, as in Exchange: a meeting
from 01:30 to 03:30 lasts three hours in the night the clock goes back. Only if the clock change would put the end
before the start, the elapsed time of the first occurrence is kept. It must not know replicas, wire formats or people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from heapq import merge

from msgspec import Struct

from syncline.core.appointment import Appointment, Span
from syncline.core.patterns import (
    LAST_ORDINAL,
    first_fitting,
    last_date,
    occurrence_date,
    occurrence_index,
    starts,
)
from syncline.core.rrule import UnsupportedPattern, from_rrule, to_rrule
from syncline.core.times import instant, wall

__all__ = [
    "Occurrence",
    "UnsupportedPattern",
    "first_fitting",
    "from_rrule",
    "last_date",
    "occurrence_date",
    "occurrence_day",
    "occurrence_index",
    "occurrence_span",
    "occurrences",
    "original_start",
    "starts",
    "to_rrule",
]


class Occurrence(Struct, frozen=True, gc=False):
    """One occurrence: its original start (by pattern), where it is now, and its exception if it has one."""

    original_start: datetime
    span: Span
    exception: Appointment | None = None


def occurrences(appointment: Appointment, start: datetime, end: datetime) -> Iterator[Occurrence]:
    """Yield the occurrences that overlap [start, end) (UTC), ordered by start; a single yields itself.

    Exceptions stand where they were moved to, deleted occurrences are left out. All-day spans are dates, so they are
    compared with one day of slack on both sides and the caller refines with `times.blocking`. An empty span overlaps
    when it starts within the window.
    """
    if appointment.recurrence is None:
        single = Occurrence(appointment.identity.original_start or appointment.span.start, appointment.span)
        found: Iterator[Occurrence] = iter((single,))
    else:
        found = merge(_regular(appointment, start, end), _exceptions(appointment), key=_by_start)
    return (occurrence for occurrence in found if _overlaps(occurrence.span, start, end))


def original_start(appointment: Appointment, day: date) -> datetime:
    """Return the original start of the occurrence on that date: a UTC instant, 00:00 UTC of it if all-day."""
    if appointment.span.all_day:
        return datetime.combine(day, time(), UTC)
    first = wall(appointment.span.start, appointment.zone)
    return instant(datetime.combine(day, first.time()), appointment.zone)


def occurrence_day(appointment: Appointment, start: datetime) -> date | None:
    """Return the date in the series of an original start; None if the pattern has none exactly there."""
    assert appointment.recurrence is not None
    day = start.date() if appointment.span.all_day else wall(start, appointment.zone).date()
    # A start shortly before midnight may have been moved past it by the spring gap.
    for candidate in (day, day - timedelta(days=1)):
        if occurrence_index(appointment.recurrence, candidate) and original_start(appointment, candidate) == start:
            return candidate
    return None


def occurrence_span(appointment: Appointment, day: date) -> Span:
    """Return the span by pattern of the occurrence on that date, see the module for clock changes."""
    return _spans(appointment)(day)


def _spans(appointment: Appointment) -> Callable[[date], Span]:
    """Return what maps a date of the series to its span; the wall times are worked out once."""
    span, zone = appointment.span, appointment.zone
    length = span.end - span.start
    first, last = wall(span.start, zone), wall(span.end, zone)

    def dated(day: date) -> Span:
        begin = datetime.combine(day, time(), UTC)
        return Span(begin, begin + length, all_day=True)

    def timed(day: date) -> Span:
        move = day - first.date()
        begin, end = instant(first + move, zone), instant(last + move, zone)
        return Span(begin, end if end >= begin else begin + length)

    return dated if span.all_day else timed


def _regular(appointment: Appointment, start: datetime, end: datetime) -> Iterator[Occurrence]:
    """Yield what the pattern gives, exceptions and deleted ones left out; lazily, for windows without end."""
    recurrence = appointment.recurrence
    assert recurrence is not None
    gone = {*appointment.deleted, *(exception.identity.original_start for exception in appointment.exceptions)}
    # Two days cover every offset, and a third what a clock change adds to the length.
    length_days = (appointment.span.end - appointment.span.start).days + 3
    high = min(end.toordinal() + 2, LAST_ORDINAL - length_days)
    span_of = _spans(appointment)
    low = max(start.toordinal() - length_days, 1)
    for day in starts(recurrence, date.fromordinal(low), date.fromordinal(max(high, 1))):
        span = span_of(day)
        if span.start not in gone:
            yield Occurrence(span.start, span)


def _exceptions(appointment: Appointment) -> Iterator[Occurrence]:
    found = [
        Occurrence(exception.identity.original_start or exception.span.start, exception.span, exception)
        for exception in appointment.exceptions
    ]
    return iter(sorted(found, key=_by_start))


def _by_start(occurrence: Occurrence) -> tuple[datetime, datetime]:
    return occurrence.span.start, occurrence.original_start


def _overlaps(span: Span, start: datetime, end: datetime) -> bool:
    slack = timedelta(days=1) if span.all_day else timedelta(0)
    return span.start - slack < end and (span.end + slack > start or span.start >= start)
