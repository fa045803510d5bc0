"""From .ics to Exchange: the text of a calendar file into a mailbox, with a report of what was changed or refused.

Only what Exchange can hold is loaded: its six patterns, exceptions that do not pass their neighbours. Everything else
is refused with a code, event by event; one bad event never stops the others. Knows RFC 5545 through the icalendar
library, and the store; nothing of XML or HTTP.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

import msgspec
from icalendar import Calendar, Component, Event
from icalendar.timezone import tzp

from syncline.core.recurrence import UnsupportedPattern, from_rrule
from syncline.emulators.exchange import series
from syncline.emulators.exchange.calendar_fields import Moment, Property, base_item, moment, value_of
from syncline.emulators.exchange.categories import add_category
from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.model import Item, Mailbox
from syncline.emulators.exchange.store import Store
from syncline.emulators.exchange.wire_read import finish
from syncline.emulators.exchange.zones import iana_name, to_wall

_ZONES_LOCK = threading.Lock()
TEXT_CHARACTERS_MAX = 64 * 1024 * 1024

# Everything the report can say: changed ones were loaded, refused ones were not.
CODES: dict[str, str] = {
    "NotACalendar": "refused: the text is no iCalendar file",
    "BrokenEvent": "refused: the event cannot be read",
    "NoStart": "refused: the event has no DTSTART",
    "EndBeforeStart": "refused: the event ends before it starts",
    "TooLong": "refused: the event lasts longer than five years",
    "UnsupportedPattern": "refused: the rule is none of Exchange's patterns",
    "ExtraDates": "refused: RDATE has no counterpart in Exchange",
    "CrossingException": "refused: the exception reaches or passes its neighbour",
    "RangeException": "refused: RECURRENCE-ID with RANGE",
    "DuplicateUid": "refused: an older event of the file has the same UID",
    "StartOffRule": "changed: the series starts at the first fitting date, its own start became a single",
    "NoSuchOccurrence": "changed: the exception belongs to no occurrence and became a single",
    "ExclusionWithoutOccurrence": "changed: EXDATE names no occurrence and was left out",
    "UnknownZone": "changed: the zone has no name that Exchange knows; its rules were matched or its instants kept",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that the loader changed or refused."""

    uid: str
    subject: str
    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarReport:
    """What became of a calendar file: numbers of events loaded by kind, and the findings."""

    mailbox: str
    singles: int = 0
    series: int = 0
    exceptions: int = 0
    changed: tuple[Finding, ...] = ()
    refused: tuple[Finding, ...] = ()


@dataclass(slots=True)
class _Loading:
    """One file on its way into one mailbox."""

    mailbox: Mailbox
    now: datetime
    items: list[Item] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def find(self, code: str, event: Component, detail: object = "") -> None:
        self.findings.append(
            Finding(uid=_text(event, "UID"), subject=_text(event, "SUMMARY"), code=code, detail=str(detail))
        )


class RefusedEventError(Exception):
    """An event that is not loaded, with its code."""

    def __init__(self, code: str, detail: object = "") -> None:
        """Keep code and detail."""
        super().__init__(code)
        self.code = code
        self.detail = str(detail)


def load_calendar(store: Store, mailbox: Mailbox, text: str, now: datetime) -> CalendarReport:
    """Put the events of a file into the default calendar of a mailbox and return the report, which is also kept."""
    loading = _Loading(mailbox, now)
    # The library remembers zones of a file by their name for the whole process; two files may mean two zones by it.
    with _ZONES_LOCK:
        tzp.use_zoneinfo()
        for uid, events in _grouped(loading, text):
            _load_meeting(loading, uid, events)
    folder = store.distinguished(mailbox.row, "calendar")
    assert folder is not None
    with store.unit():
        for item in loading.items:
            store.add(folder, item)
        _add_categories(store, mailbox, loading.items)
        report = _report(loading)
        store.put_note("import", msgspec.json.encode(report).decode())
    return report


def _add_categories(store: Store, mailbox: Mailbox, items: list[Item]) -> None:
    """Put the categories of a file into the mailbox's category list, as if its owner had made them."""
    for name in dict.fromkeys(category for item in items for category in item.categories):
        add_category(store, mailbox.row, name)


def _report(loading: _Loading) -> CalendarReport:
    items = loading.items
    return CalendarReport(
        mailbox=loading.mailbox.address,
        singles=sum(item.recurrence is None for item in items),
        series=sum(item.recurrence is not None for item in items),
        exceptions=sum(len(item.exceptions) for item in items),
        changed=tuple(f for f in loading.findings if CODES[f.code].startswith("changed")),
        refused=tuple(f for f in loading.findings if CODES[f.code].startswith("refused")),
    )


def _text(event: Component, name: str) -> str:
    value = value_of(event, name)
    return str(value[0] if isinstance(value, list) else value) if value is not None else ""


def _grouped(loading: _Loading, text: str) -> Iterator[tuple[str, list[Component]]]:
    try:
        if len(text) > TEXT_CHARACTERS_MAX:
            raise ValueError("the text is too long")
        calendars = Calendar.from_ical(text, multiple=True)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        loading.find("NotACalendar", Event(), error)
        return
    groups: dict[str, list[Component]] = {}
    for calendar in calendars:
        for number, event in enumerate(calendar.walk("VEVENT")):
            groups.setdefault(_text(event, "UID") or f"no-uid-{number}", []).append(event)
    if not calendars:
        loading.find("NotACalendar", Event(), "no calendar in the text")
    yield from groups.items()


def _load_meeting(loading: _Loading, uid: str, events: list[Component]) -> None:
    """Load what one UID has: at most one master or single, and its exceptions."""
    masters = [e for e in events if value_of(e, "RECURRENCE-ID") is None]
    overrides = [e for e in events if value_of(e, "RECURRENCE-ID") is not None]
    masters.sort(key=_age)
    for event in masters[1:]:
        loading.find("DuplicateUid", event)
    master = _guarded(loading, masters[0], uid) if masters else None
    if master is not None and master.recurrence is not None:
        master = _with_exclusions(loading, masters[0], master)
        overrides.sort(key=lambda e: str(value_of(e, "RECURRENCE-ID").to_ical()))
        for event in overrides:
            master = _with_override(loading, event, uid, master)
    else:
        # The master is missing, refused or a single: what is left of the series is kept as singles.
        for event in overrides:
            _load_lone_override(loading, event, uid)
    if master is not None:
        loading.items.append(master)


def _age(event: Component) -> str:
    stamp = value_of(event, "CREATED") or value_of(event, "DTSTAMP")
    value = getattr(stamp, "dt", None)
    return value.isoformat() if isinstance(value, datetime) else ""


def _guarded(loading: _Loading, event: Component, uid: str) -> Item | None:
    """Return the item of an event, or None with a finding."""
    try:
        return _item(loading, event, uid)
    except RefusedEventError as refusal:
        loading.find(refusal.code, event, refusal.detail)
    except EwsError as error:
        code = {
            "ErrorCalendarEndDateIsEarlierThanStartDate": "EndBeforeStart",
            "ErrorCalendarDurationIsTooLong": "TooLong",
            "ErrorCalendarInvalidRecurrence": "UnsupportedPattern",
        }
        loading.find(code.get(error.code, "BrokenEvent"), event, error.text)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, IndexError) as error:
        loading.find("BrokenEvent", event, error)
    return None


def _item(loading: _Loading, event: Component, uid: str) -> Item:
    start = _start(loading, event)
    begin, end = _span(loading, event, start)
    item = replace(
        base_item(event, loading.mailbox, loading.now),
        uid=uid,
        start=begin,
        end=end,
        start_zone=start.zone,
        end_zone=start.zone,
        all_day=start.all_day,
    )
    if item.cancelled:
        item = replace(item, show_as="Free")
    if value_of(event, "RDATE") is not None:
        raise RefusedEventError("ExtraDates")
    rule = value_of(event, "RRULE")
    if rule is None:
        return finish(item)
    return _series(loading, event, item, rule)


def _start(loading: _Loading, event: Component) -> Moment:
    if value_of(event, "DTSTART") is None:
        raise RefusedEventError("NoStart")
    start = moment(value_of(event, "DTSTART"), loading.mailbox)
    if not start.named:
        loading.find("UnknownZone", event, start.zone.id)
    return start


def _span(loading: _Loading, event: Component, start: Moment) -> tuple[datetime, datetime]:
    if value_of(event, "DTEND") is not None:
        end = moment(value_of(event, "DTEND"), loading.mailbox).instant
        if start.all_day and end <= start.instant:
            end = start.instant + timedelta(days=1)
        return start.instant, end
    length = value_of(event, "DURATION")
    if length is not None:
        return start.instant, start.instant + length.dt
    return start.instant, start.instant + (timedelta(days=1) if start.all_day else timedelta())


def _series(loading: _Loading, event: Component, item: Item, rule: Property) -> Item:
    if isinstance(rule, list):
        raise RefusedEventError("UnsupportedPattern", "several rules")
    wall = to_wall(item.start, item.start_zone)
    clock = time() if item.all_day else wall.time()
    zone = "UTC" if item.all_day or item.start_zone.definition else iana_name(item.start_zone)
    try:
        recurrence = from_rrule(rule.to_ical().decode(), wall.date(), start=clock, zone=zone)
    except UnsupportedPattern as error:
        raise RefusedEventError("UnsupportedPattern", error) from None
    fitted = finish(replace(item, recurrence=recurrence))
    if fitted.start != item.start:
        loading.find("StartOffRule", event, fitted.start.isoformat())
        loading.items.append(finish(replace(item, recurrence_id=item.start)))
    return fitted


def _with_exclusions(loading: _Loading, event: Component, master: Item) -> Item:
    deleted: set[datetime] = set()
    for entry in _exclusions(loading, event):
        try:
            original = _original_start(loading, entry, master)
            known = series.day_of(master, original) is not None
        except (ValueError, OverflowError):
            known = False
        if known:
            deleted.add(original)
        elif not _without_single(loading, master, entry):
            loading.find("ExclusionWithoutOccurrence", event, entry.dt)
    return replace(master, deleted=tuple(sorted(deleted)))


def _without_single(loading: _Loading, master: Item, entry: Property) -> bool:
    """Take away the single that an off-rule start became; return whether there was one at that time."""
    value = entry.dt
    start = moment(entry, loading.mailbox, master.start_zone).instant
    # What a UID has so far stands at the end of the list.
    for index in range(len(loading.items) - 1, -1, -1):
        item = loading.items[index]
        if item.uid != master.uid:
            break
        day = to_wall(item.start, item.start_zone).date()
        if item.recurrence_id == start or (not isinstance(value, datetime) and day == value):
            del loading.items[index]
            return True
    return False


def _exclusions(loading: _Loading, event: Component) -> Iterator[Property]:
    found = value_of(event, "EXDATE")
    if found is None:
        return
    for each in found if isinstance(found, list) else [found]:
        try:
            yield from list(each.dts)
        except ValueError as error:
            loading.find("ExclusionWithoutOccurrence", event, error)


def _original_start(loading: _Loading, entry: Property, master: Item) -> datetime:
    """Return the original start that EXDATE or RECURRENCE-ID means; a date alone means that day's occurrence."""
    value = entry.dt
    if isinstance(value, datetime):
        if master.all_day:
            return series.occurrence_on(master, value.date()).start
        return moment(entry, loading.mailbox, master.start_zone).instant
    assert isinstance(value, date)
    return series.occurrence_on(master, value).start


def _with_override(loading: _Loading, event: Component, uid: str, master: Item) -> Item:
    if value_of(event, "RECURRENCE-ID").params.get("RANGE"):
        loading.find("RangeException", event)
        return master
    item = _guarded(loading, event, uid)
    if item is None:
        return master
    try:
        original = _original_start(loading, value_of(event, "RECURRENCE-ID"), master)
    except (ValueError, OverflowError) as error:
        loading.find("BrokenEvent", event, error)
        return master
    if series.day_of(master, original) is None:
        if not _without_single(loading, master, value_of(event, "RECURRENCE-ID")):
            loading.find("NoSuchOccurrence", event, original.isoformat())
        loading.items.append(replace(item, recurrence_id=original, recurrence=None))
        return master
    if any(e.original_start == original for e in master.exceptions):
        loading.find("DuplicateUid", event, original.isoformat())
        return master
    restored = replace(master, deleted=tuple(d for d in master.deleted if d != original))
    try:
        return series.with_exception(restored, replace(item, original_start=original))
    except EwsError:
        loading.find("CrossingException", event, original.isoformat())
        return master


def _load_lone_override(loading: _Loading, event: Component, uid: str) -> None:
    item = _guarded(loading, event, uid)
    if item is None:
        return
    try:
        original = moment(value_of(event, "RECURRENCE-ID"), loading.mailbox, item.start_zone).instant
    except (ValueError, OverflowError) as error:
        loading.find("BrokenEvent", event, error)
        return
    loading.items.append(replace(item, recurrence_id=original, recurrence=None))
