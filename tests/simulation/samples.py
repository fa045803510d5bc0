"""Appointments of the first simulated day, for tests of the simulation."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from syncline.core.appointment import Appointment, Identity, Pattern, PatternKind, Recurrence, Span
from syncline.simulation.clock import MONDAY
from syncline.simulation.conduct import CATEGORY


def at(hour: float, day: int = 1) -> Span:
    """Return an hour of the day after the first morning."""
    start = MONDAY.replace(hour=0) + timedelta(days=day, hours=hour)
    return Span(start, start + timedelta(hours=1))


def item(uid: str, span: Span, **fields: object) -> Appointment:
    """Return a tracked single."""
    plain = Appointment(
        identity=Identity(uid), subject=f"Subject {uid}", span=span, categories=(CATEGORY,), created=MONDAY
    )
    return replace(plain, **fields)  # type: ignore[arg-type]


def daily(uid: str, span: Span, count: int = 4) -> Appointment:
    """Return a tracked daily series."""
    recurrence = Recurrence(pattern=Pattern(kind=PatternKind.DAILY), first=span.start.date(), count=count)
    return item(uid, span, recurrence=recurrence)
