"""A series that is ended early (R-03): the dates that have begun stay as they are, those still to come go.

It must not know what becomes of the status of a series, who ends it, or what is stored where.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

from msgspec.structs import replace

from syncline.core.appointment import Appointment
from syncline.core.leaving_out import without
from syncline.core.moving import on_pattern
from syncline.core.patterns import last_date, occurrence_date, occurrence_index
from syncline.core.recurrence import Occurrence, occurrence_day, occurrence_span, occurrences
from syncline.core.times import blocking, wall

_EVER, _NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def ended_early(series: Appointment, now: datetime) -> Appointment | None:
    """Return a series without the dates that begin after `now` (UTC); None if none has begun.

    The range ends with the last date that has begun, and what is said of later ones is forgotten. A date that was moved
    counts where it stands now, a whole day from its midnight in the zone of the series. A series with nothing to come
    is returned as it is.
    """
    assert series.recurrence is not None
    if not goes_on(series, now):
        return series if any(occurrences(series, _EVER, _NEVER)) else None
    days = [_last_by_pattern(series, now), *_days_of_begun_exceptions(series, now)]
    last = max((day for day in days if day is not None), default=None)
    if last is None:
        return None
    cut = on_pattern(replace(series, recurrence=replace(series.recurrence, count=None, until=last)))
    ended = without(cut, [each.original_start for each in _to_come(cut, now)])
    return ended if any(occurrences(ended, _EVER, _NEVER)) else None


def goes_on(series: Appointment, now: datetime) -> bool:
    """Return whether a date of a series is still to come."""
    return any(_to_come(series, now))


def _to_come(series: Appointment, now: datetime) -> Iterator[Occurrence]:
    return (each for each in occurrences(series, now, _NEVER) if not _has_begun(series, each, now))


def _days_of_begun_exceptions(series: Appointment, now: datetime) -> Iterator[date | None]:
    for part in series.exceptions:
        start = part.identity.original_start
        if start is not None and _has_begun(series, Occurrence(start, part.span, part), now):
            yield occurrence_day(series, start)


def _has_begun(series: Appointment, each: Occurrence, now: datetime) -> bool:
    begins, _ = blocking(each.span, (each.exception or series).zone)
    return begins <= now


def _last_by_pattern(series: Appointment, now: datetime) -> date | None:
    """Return the last date of the pattern that begins until `now`, whether it stands, was moved or was deleted."""
    recurrence = series.recurrence
    assert recurrence is not None
    today = wall(now, series.zone).date()
    end = min(day for day in (today, recurrence.until, last_date(recurrence)) if day is not None)
    day = last_date(replace(recurrence, count=None, until=end))
    while day is not None and not _has_begun(series, _by_pattern(series, day), now):
        index = occurrence_index(recurrence, day)
        assert index is not None
        day = occurrence_date(recurrence, index - 1)
    return day


def _by_pattern(series: Appointment, day: date) -> Occurrence:
    span = occurrence_span(series, day)
    return Occurrence(span.start, span)
