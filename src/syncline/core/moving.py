"""Dates of a series whose other side was moved: each goes to the same day of the new pattern, or is dropped (0030).

A date is named by its original start, which a series loses when its time, zone or pattern changes; what stays is the
day. It must not know what was agreed, nor which side moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from syncline.core.appointment import Appointment, Span
from syncline.core.patterns import occurrence_index
from syncline.core.recurrence import occurrence_day, occurrence_span, original_start
from syncline.core.validity import misplaced

# What a date has from its series, unless somebody gave it a value of its own.
_FOLLOWING = (
    "subject", "description", "location", "sensitivity", "importance", "zone", "show_as", "organizer", "attendees",
)  # fmt: skip


class DateChanges(Struct, frozen=True, gc=False):
    """What a side did to single dates: exceptions that it made or changed, and original starts that it deleted."""

    parts: tuple[Appointment, ...]
    deleted: frozenset[datetime]

    def starts(self) -> frozenset[datetime]:
        """Return the original starts of all of them."""
        return self.deleted | {start for part in self.parts if (start := part.identity.original_start) is not None}


def on_pattern(series: Appointment) -> Appointment:
    """Return a content without exceptions and deletions of dates that its pattern does not have."""
    if not series.exceptions and not series.deleted:
        return series
    parts = tuple(part for part in series.exceptions if _has(series, part.identity.original_start))
    return replace(series, exceptions=parts, deleted=tuple(start for start in series.deleted if _has(series, start)))


def carried_along(
    series: Appointment, before: Appointment, changes: DateChanges, firm: frozenset[datetime]
) -> tuple[Appointment, tuple[datetime, ...]]:
    """Return a moved series with the changes that were made to dates of `before`, and the starts that found no place.

    `firm` are dates of the series that no change replaces. A date that would reach or pass its neighbours has no place.
    """
    places = _places(series, before, changes, firm)
    gone = {places[start] for start in changes.deleted if start in places}
    parts = {
        places[start]: _at(series, before, part, places[start])
        for part in changes.parts
        if (start := part.identity.original_start) in places and places[start] not in gone
    }
    while parts and (crossing := parts.keys() & misplaced(_with(series, parts, gone)).keys()):
        parts = {place: part for place, part in parts.items() if place not in crossing}
    laid = _with(series, parts, gone)
    stand = gone | parts.keys()
    return laid, tuple(sorted(start for start in changes.starts() if places.get(start) not in stand))


def _places(
    series: Appointment, before: Appointment, changes: DateChanges, firm: frozenset[datetime]
) -> dict[datetime | None, datetime]:
    """Return the original starts that changed dates get in the series, by those that they had."""
    found = {start: place_of(series, before, start) for start in changes.starts()}
    return {start: place for start, place in found.items() if place is not None and place not in firm}


def _with(series: Appointment, parts: Mapping[datetime, Appointment], gone: Iterable[datetime]) -> Appointment:
    deleted = (set(series.deleted) - parts.keys()) | set(gone)
    kept = [part for part in series.exceptions if part.identity.original_start not in parts]
    standing = [part for part in (*kept, *parts.values()) if part.identity.original_start not in deleted]
    ordered = tuple(sorted(standing, key=lambda each: each.identity))
    return replace(series, exceptions=ordered, deleted=tuple(sorted(deleted)))


def _has(series: Appointment, start: datetime | None) -> bool:
    return series.recurrence is not None and start is not None and occurrence_day(series, start) is not None


def place_of(series: Appointment, before: Appointment, start: datetime) -> datetime | None:
    """Return the original start in a series of a date of `before`: the same if it has that, else that of its day."""
    if series.recurrence is None or before.recurrence is None:
        return None
    if _has(series, start):
        return start
    day = occurrence_day(before, start)
    return None if day is None or occurrence_index(series.recurrence, day) is None else original_start(series, day)


def _at(series: Appointment, before: Appointment, part: Appointment, place: datetime) -> Appointment:
    """Return an exception at its new original start: what it has from its series follows that, its own stays."""
    same: dict[str, Any] = {
        name: getattr(series, name) for name in _FOLLOWING if getattr(part, name) == getattr(before, name)
    }
    regular = part.span == span_by_pattern(before, part.identity.original_start)
    span = span_by_pattern(series, place) if regular else part.span
    return replace(part, identity=replace(part.identity, original_start=place), span=span, **same)


def span_by_pattern(series: Appointment, start: datetime | None) -> Span:
    """Return where the pattern puts the date of an original start; the first date where it has none there."""
    day = occurrence_day(series, start) if start is not None else None
    return series.span if day is None else occurrence_span(series, day)
