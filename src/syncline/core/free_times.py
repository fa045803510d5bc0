"""When everybody is free: the next spans within working hours that nothing occupies. Pure arithmetic on instants.

It must not know who the people are, what occupies them, or why anybody asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from syncline.core.times import instant, wall

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HORIZON = timedelta(days=14)
STEP = timedelta(minutes=30)

Interval = tuple[datetime, datetime]


class WorkingHours(Struct, frozen=True, gc=False, kw_only=True):
    """From when to when, in hours of the wall clock, and on which weekdays (Monday 0)."""

    from_h: float = 8.0
    to_h: float = 17.0
    weekdays: frozenset[int] = frozenset(range(5))


class Slot(Struct, frozen=True, gc=False):
    """One free time [start, end) as aware UTC instants."""

    start: datetime
    end: datetime


def free_times(
    busy: Mapping[str, Iterable[Interval]],
    length: timedelta,
    after: datetime,
    *,
    hours: WorkingHours,
    zone: str,
    count: int = 3,
) -> tuple[Slot, ...]:
    """Return the next `count` slots of that length, from `after` to the horizon, in which nobody is busy.

    `busy` are the instants [start, end) by person; touching is free (CD-01). Slots begin on half hours of the working
    day of `zone`, lie within it as a whole, and do not overlap each other.
    """
    if length <= timedelta(0):
        return ()
    taken = sorted(interval for intervals in busy.values() for interval in intervals)
    found: list[Slot] = []
    for opens, closes in _working_days(after, after + HORIZON, hours, zone):
        start = _half_hour(opens, max(opens, after))
        while start + length <= closes:
            busy_until = _busy_until(taken, start, start + length)
            if busy_until is None:
                found.append(Slot(start, start + length))
                if len(found) == count:
                    return tuple(found)
            start = _half_hour(opens, busy_until or start + length)
    return tuple(found)


def _working_days(after: datetime, until: datetime, hours: WorkingHours, zone: str) -> Iterator[Interval]:
    """Yield the working hours of every working day that reaches into [after, until)."""
    day = wall(after, zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    while (opens := instant(day + timedelta(hours=hours.from_h), zone)) < until:
        closes = instant(day + timedelta(hours=hours.to_h), zone)
        if day.weekday() in hours.weekdays and after < closes:
            yield opens, closes
        day += timedelta(days=1)


def _busy_until(taken: Iterable[Interval], start: datetime, end: datetime) -> datetime | None:
    """Return when the last of what overlaps [start, end) is over; None if nothing does."""
    return max((busy_end for busy_start, busy_end in taken if busy_start < end and start < busy_end), default=None)


def _half_hour(opens: datetime, at: datetime) -> datetime:
    """Return the first half hour of the working day at or after an instant within it."""
    return opens + -((opens - at) // STEP) * STEP
