"""Appointments that the suite writes: builders over one fixed week, so that every run is the same.

It must not know any side.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from msgspec.structs import replace

from syncline.core.appointment import (
    Address,
    Appointment,
    Attendee,
    Identity,
    Pattern,
    PatternKind,
    Recurrence,
    Role,
    Span,
)

MONDAY = datetime(2031, 3, 3, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
ADA = Address("ada@example.org", "Ada Admin")
BOB = Address("bob@example.org", "Bob Berg")


def at(hour: float, length: float = 1, day: int = 0) -> Span:
    """Return the span from `hour` on, `length` hours long, `day` days after the Monday."""
    start = MONDAY + day * DAY + hour * HOUR
    return Span(start, start + length * HOUR)


def dates(day: int, length: int = 1) -> Span:
    """Return the all-day span of `length` days from the Monday plus `day`."""
    return Span(MONDAY + day * DAY, MONDAY + (day + length) * DAY, all_day=True)


def single(uid: str, span: Span, **fields: object) -> Appointment:
    """Return a busy single of Ada's."""
    plain = Appointment(
        identity=Identity(uid), subject=f"Subject of {uid}", span=span, organizer=ADA, created=MONDAY - DAY
    )
    return replace(plain, **fields)


def meeting(uid: str, span: Span) -> Appointment:
    """Return a meeting of Ada's with Bob."""
    return single(uid, span, attendees=(Attendee(BOB.address, BOB.name, Role.REQUIRED),))


def daily(uid: str, span: Span, count: int = 5, zone: str = "UTC") -> Appointment:
    """Return a daily series of `count` occurrences; `span` is the first."""
    recurrence = Recurrence(pattern=Pattern(kind=PatternKind.DAILY), first=_day(span), count=count)
    return single(uid, span, recurrence=recurrence, zone=zone)


def _day(span: Span) -> date:
    return span.start.date()
