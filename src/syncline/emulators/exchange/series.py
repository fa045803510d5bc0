"""Series of the emulated server: which occurrences a master has, what each looks like, and what is allowed.

Pure functions over `Item`; dates come from `syncline.core.recurrence`, wall times from `zones`. An occurrence is an
item made from its master: `original_start` set, no recurrence. Knows nothing of XML or the store.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from msgspec import structs

from syncline.core import recurrence as dates
from syncline.core.appointment import Recurrence
from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.model import Item
from syncline.emulators.exchange.zones import to_utc, to_wall

ENDLESS_S = 253_370_764_800
_DAY = timedelta(days=1)


def extent(item: Item) -> tuple[int, int]:
    """Return the first and last instant (seconds since 1970) that the item or any of its occurrences touches."""
    first, last = int(item.start.timestamp()), int(item.end.timestamp())
    if item.recurrence is None:
        return first, last
    final = dates.last_date(item.recurrence)
    if item.recurrence.count is None and item.recurrence.until is None:
        last = ENDLESS_S
    elif final is not None:
        last = max(last, int(occurrence_on(item, final).end.timestamp()))
    for exception in item.exceptions:
        first = min(first, int(exception.start.timestamp()))
        last = max(last, int(exception.end.timestamp()))
    return first, last


def fit_start(item: Item) -> Item:
    """Return the series moved to the first date on or after its range's start that fits the pattern."""
    recurrence = _recurrence(item)
    try:
        first = dates.first_fitting(recurrence.pattern, recurrence.first)
    except ValueError:
        raise EwsError("ErrorCalendarInvalidRecurrence") from None
    if recurrence.until is not None and first > recurrence.until:
        raise EwsError("ErrorCalendarInvalidRecurrence")
    moved = occurrence_on(item, first)
    return replace(item, recurrence=structs.replace(recurrence, first=first), start=moved.start, end=moved.end)


def occurrence_on(item: Item, day: date) -> Item:
    """Return the occurrence by pattern on a date: the wall times of the first one, in the zone of its start."""
    zone = item.start_zone
    start, end = to_wall(item.start, zone), to_wall(item.end, zone)
    move = day - start.date()
    begin, finish = to_utc(start + move, zone), to_utc(end + move, zone)
    if finish < begin:
        finish = begin + (item.end - item.start)
    return replace(item, start=begin, end=finish, original_start=begin, recurrence=None, exceptions=(), deleted=())


def by_original_start(item: Item, original_start: datetime) -> Item:
    """Return one occurrence, as its exception says or by pattern; raises ErrorItemNotFound."""
    for exception in item.exceptions:
        if exception.original_start == original_start:
            return exception
    day = day_of(item, original_start)
    if day is None or original_start in item.deleted:
        raise EwsError("ErrorItemNotFound")
    return occurrence_on(item, day)


def day_of(item: Item, original_start: datetime) -> date | None:
    """Return the date of an original start by pattern; None when the series has none exactly there."""
    day = to_wall(original_start, item.start_zone).date()
    for candidate in (day, day - _DAY):
        if (
            dates.occurrence_index(_recurrence(item), candidate)
            and occurrence_on(item, candidate).start == original_start
        ):
            return candidate
    return None


def by_index(item: Item, index: int) -> Item:
    """Return the occurrence with an index from 1, deleted ones counted; raises the errors of OccurrenceItemId."""
    day = dates.occurrence_date(_recurrence(item), index)
    if day is None:
        raise EwsError("ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange")
    start = occurrence_on(item, day).start
    if start in item.deleted:
        raise EwsError("ErrorCalendarOccurrenceIsDeletedFromRecurrence")
    return by_original_start(item, start)


def expand(item: Item, start: datetime, end: datetime) -> Iterator[Item]:
    """Yield the occurrences that touch [start, end), by start; a single yields itself."""
    if item.recurrence is None:
        if _touches(item, start, end):
            yield item
        return
    gone = {*item.deleted, *(e.original_start for e in item.exceptions)}
    length = (item.end - item.start) + 2 * _DAY
    days = dates.starts(item.recurrence, (start - length).date(), (end + 2 * _DAY).date())
    regular = (occurrence_on(item, day) for day in days)
    found = [o for o in regular if o.start not in gone and _touches(o, start, end)]
    found += [e for e in item.exceptions if _touches(e, start, end)]
    yield from sorted(found, key=lambda o: o.start)


def _touches(item: Item, start: datetime, end: datetime) -> bool:
    return item.start < end and (item.end > start or item.start >= start)


def first_and_last(item: Item) -> tuple[Item | None, Item | None]:
    """Return the first and last occurrence that are left; no last one for an endless series."""
    recurrence = _recurrence(item)
    first = _walk(item, 1, 1)
    final = dates.last_date(recurrence)
    if final is None:
        return first, None
    index = dates.occurrence_index(recurrence, final) or 1
    return first, _walk(item, index, -1)


def _walk(item: Item, index: int, step: int) -> Item | None:
    for _ in range(len(item.deleted) + 1):
        day = dates.occurrence_date(_recurrence(item), index) if index > 0 else None
        if day is None:
            return None
        start = occurrence_on(item, day).start
        if start not in item.deleted:
            return by_original_start(item, start)
        index += step
    return None


def with_exception(item: Item, exception: Item) -> Item:
    """Return the series with an exception put in; raises ErrorOccurrenceCrossingBoundary."""
    original = exception.original_start
    assert original is not None
    day = day_of(item, original)
    if day is None:
        raise EwsError("ErrorItemNotFound")
    _check_neighbours(item, exception, day)
    others = [e for e in item.exceptions if e.original_start != original]
    changed = replace(exception, recurrence=None, exceptions=(), deleted=())
    ordered = sorted([*others, changed], key=lambda e: e.original_start or e.start)
    return replace(item, exceptions=tuple(ordered))


def without_occurrence(item: Item, original_start: datetime) -> Item:
    """Return the series with one occurrence deleted."""
    by_original_start(item, original_start)
    exceptions = tuple(e for e in item.exceptions if e.original_start != original_start)
    return replace(item, exceptions=exceptions, deleted=tuple(sorted({*item.deleted, original_start})))


def _check_neighbours(item: Item, exception: Item, day: date) -> None:
    """Refuse an exception that reaches or passes the day of the occurrence before or after it."""
    zone = item.start_zone
    index = dates.occurrence_index(_recurrence(item), day) or 1
    before, after = _neighbour(item, index, -1), _neighbour(item, index, 1)
    start = to_wall(exception.start, zone).date()
    if before is not None and start <= to_wall(before.start, zone).date():
        raise EwsError("ErrorOccurrenceCrossingBoundary")
    if after is not None and start >= to_wall(after.start, zone).date():
        raise EwsError("ErrorOccurrenceCrossingBoundary")


def _neighbour(item: Item, index: int, step: int) -> Item | None:
    return _walk(item, index + step, step)


def _recurrence(item: Item) -> Recurrence:
    assert item.recurrence is not None
    return item.recurrence
