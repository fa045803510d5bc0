"""Dates of a series that are left out of the CRM: which ones clash, the series without them, and when that ends.

A date is named by its original start. Leaving it out makes it a deleted occurrence on the CRM side and nothing at all
in Exchange. It must not know who decided it, or what is stored where.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from msgspec.structs import replace

from syncline.core.appointment import Appointment, ShowAs, Span
from syncline.core.recurrence import Occurrence, occurrence_day, occurrence_span, occurrences

_SECOND = timedelta(seconds=1)
_NOT_BLOCKING = (ShowAs.FREE, ShowAs.WORKING_ELSEWHERE)


def without(series: Appointment, left_out: Iterable[datetime]) -> Appointment:
    """Return a series whose dates `left_out` are deleted; those that it does not have are passed over."""
    gone = {start for start in left_out if _place(series, start) is not None}
    if not gone:
        return series
    kept = tuple(each for each in series.exceptions if each.identity.original_start not in gone)
    return replace(series, exceptions=kept, deleted=tuple(sorted({*series.deleted, *gone})))


def dates_at(series: Appointment, starts: Iterable[datetime]) -> tuple[datetime, ...]:
    """Return the original starts of the dates that begin at these instants and keep somebody busy, ascending."""
    found = {each.original_start for start in starts for each in _beginning(series, start) if _keeps_busy(series, each)}
    return tuple(sorted(found))


def remains(series: Appointment, since: datetime, horizon_days: int) -> bool:
    """Return whether a series has a date left that has not ended at `since`, as far as dates are compared (CD-09)."""
    until = since + timedelta(days=horizon_days)
    return any(each.span.end > since for each in occurrences(series, since, until))


def still_left_out(
    left_out: tuple[datetime, ...], before: Appointment | None, after: Appointment
) -> tuple[datetime, ...]:
    """Return the dates that stay left out when the content of a series becomes `after`.

    A date does as long as it stands where and how it stood: moved, shown as something else, deleted or no longer in
    the pattern, it is a new matter (Q-04). Where nobody knows how it stood (`before` is None), those that the pattern
    gives do.
    """
    return tuple(start for start in left_out if _unmoved(start, before, after))


def _unmoved(start: datetime, before: Appointment | None, after: Appointment) -> bool:
    now = _place(after, start)
    if now is None:
        return False
    return now == _place(before, start) if before is not None else not _is_exception(after, start)


def _place(series: Appointment, start: datetime) -> tuple[Span, ShowAs, bool] | None:
    """Return where and how the date of an original start stands; None if the series has no such date."""
    if series.recurrence is None or start in series.deleted:
        return None
    for part in series.exceptions:
        if part.identity.original_start == start:
            return part.span, part.show_as, part.canceled
    day = occurrence_day(series, start)
    return None if day is None else (occurrence_span(series, day), series.show_as, series.canceled)


def _is_exception(series: Appointment, start: datetime) -> bool:
    return any(part.identity.original_start == start for part in series.exceptions)


def _beginning(series: Appointment, start: datetime) -> Iterator[Occurrence]:
    return (each for each in occurrences(series, start, start + _SECOND) if each.span.start == start)


def _keeps_busy(series: Appointment, date: Occurrence) -> bool:
    part = date.exception or series
    return not part.canceled and part.show_as not in _NOT_BLOCKING
