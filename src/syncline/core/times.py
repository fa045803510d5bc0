"""Wall time, zone and instant: the only place where one becomes the other.

An instant is an aware UTC datetime; a wall time is a naive datetime that means something only with a zone key; an
all-day span is a range of dates (CD-08). The module knows zone keys of `core.zones`, whose names it offers too, and
must not know patterns, items or people.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from syncline.core.appointment import Span
from syncline.core.zones import (
    UnknownZone,
    ZoneEra,
    ZoneRules,
    ZoneTransition,
    clock_of,
    custom_zone,
    iana_to_windows,
    match_zone,
    resolve_zone,
    rules_in,
    rules_of_eras,
    windows_to_iana,
    zone_info,
)

__all__ = [
    "EPOCH",
    "UnknownZone",
    "ZoneEra",
    "ZoneRules",
    "ZoneTransition",
    "all_day",
    "blocking",
    "clock_of",
    "custom_zone",
    "days",
    "epoch_s",
    "from_epoch_s",
    "iana_to_windows",
    "instant",
    "match_zone",
    "midnight",
    "resolve_zone",
    "rules_in",
    "rules_of_eras",
    "wall",
    "windows_to_iana",
    "zone_info",
]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


def instant(wall: datetime, zone: str) -> datetime:
    """Return the UTC instant of a naive wall time.

    In the spring gap the offset before the gap is kept (02:30 becomes 03:30), whatever `fold` says; in the ambiguous
    hour `fold` chooses. Raise UnknownZone, or OverflowError at the ends of the calendar.
    """
    aware = wall.replace(tzinfo=zone_info(zone))
    if wall.fold and aware.utcoffset() > aware.replace(fold=0).utcoffset():  # type: ignore[operator]
        aware = aware.replace(fold=0)
    return aware.astimezone(UTC)


def wall(instant: datetime, zone: str) -> datetime:
    """Return the naive wall time of an instant, with `fold` set in the second pass of an ambiguous hour."""
    return instant.astimezone(zone_info(zone)).replace(tzinfo=None)


def midnight(day: date, zone: str) -> datetime:
    """Return the first instant of a date in a zone, also where the clock skips 00:00."""
    naive = datetime.combine(day, time())
    began = instant(naive, zone)
    if wall(began, zone) == naive:
        return began
    # 00:00 lies in a gap: the date begins where the gap ends, between the two readings of 00:00.
    low = epoch_s(naive.replace(fold=1, tzinfo=zone_info(zone)).astimezone(UTC))
    high = epoch_s(began)
    while low < high:
        middle = (low + high) // 2
        if wall(from_epoch_s(middle), zone).date() >= day:
            high = middle
        else:
            low = middle + 1
    return from_epoch_s(high)


def all_day(first: date, end: date) -> Span:
    """Return the all-day span of the dates [first, end)."""
    return Span(datetime.combine(first, time(), UTC), datetime.combine(end, time(), UTC), all_day=True)


def days(span: Span) -> tuple[date, date]:
    """Return the dates [first, end) of an all-day span."""
    return span.start.date(), span.end.date()


def blocking(span: Span, zone: str) -> tuple[datetime, datetime]:
    """Return the instants [start, end) a span covers for a person of that zone (CD-08)."""
    if not span.all_day:
        return span.start, span.end
    first, end = days(span)
    return midnight(first, zone), midnight(end, zone)


def epoch_s(at: datetime) -> int:
    """Return an aware instant as whole seconds since 1970-01-01 UTC."""
    return (at - EPOCH) // _SECOND


def from_epoch_s(seconds: int) -> datetime:
    """Return the UTC instant of whole seconds since 1970-01-01 UTC."""
    return EPOCH + timedelta(seconds=seconds)
