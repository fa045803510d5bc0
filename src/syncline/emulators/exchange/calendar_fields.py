"""Fields of a VEVENT as those of an item: texts, people, show-as, reminder, and times with their zones.

Source of the mapping: RFC 5545 and [MS-OXCICAL]. Knows one event at a time, nothing of series or the store.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, TypeAlias

from icalendar import Component

from syncline.emulators.exchange.call import person_of
from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.model import Attendee, Item, Mailbox, Person, ZoneRef
from syncline.emulators.exchange.zones import to_utc, zone_like, zone_ref

# A property of the icalendar library: one of many types, broken ones included, or a list of them.
Property: TypeAlias = Any

_BUSY = {"FREE": "Free", "TENTATIVE": "Tentative", "BUSY": "Busy", "OOF": "OOF", "WORKINGELSEWHERE": "WorkingElsewhere"}
_CLASS = {"PRIVATE": "Private", "CONFIDENTIAL": "Confidential"}
_RESPONSE = {"ACCEPTED": "Accept", "DECLINED": "Decline", "TENTATIVE": "Tentative"}
_REMINDER_MINUTES = 15
_REMINDER_MINUTES_MAX = 60 * 24 * 365


@dataclass(frozen=True, slots=True)
class Moment:
    """A time of the file: the instant, the zone of its wall clock, and whether that zone has a known name."""

    instant: datetime
    zone: ZoneRef
    all_day: bool = False
    named: bool = True


def value_of(component: Component, name: str, otherwise: object = None) -> Property:
    """Return a property of an event, of whatever type it is."""
    return component.get(name, otherwise)


def moment(entry: Property, mailbox: Mailbox, floating: ZoneRef | None = None) -> Moment:
    """Return what a DTSTART, DTEND, RECURRENCE-ID or EXDATE means in a mailbox; `floating` is its zone without TZID."""
    value = entry.dt
    own = zone_ref(mailbox.zone)
    if not isinstance(value, datetime):
        assert isinstance(value, date)
        return Moment(to_utc(datetime.combine(value, time()), own), own, all_day=True)
    value = value.replace(microsecond=0)
    name = str(entry.params.get("TZID") or _key(value.tzinfo) or "")
    try:
        zone = zone_ref(name) if name else floating or own
    except EwsError:
        if value.tzinfo is None:
            return Moment(to_utc(value, own), own, named=False)
        return Moment(value.astimezone(UTC), zone_like(value.tzinfo, name, own), named=False)
    return Moment(to_utc(value.replace(tzinfo=None), zone), zone)


def _key(zone: tzinfo | None) -> str | None:
    """Return the name of a clock that knows it; a fixed offset of nothing is UTC."""
    if zone is None:
        return None
    name = getattr(zone, "key", None)
    return str(name) if name else zone.tzname(None)


def base_item(event: Component, mailbox: Mailbox, now: datetime) -> Item:
    """Return everything of an event but its times and its rule."""
    organizer = _person(value_of(event, "ORGANIZER")) or person_of(mailbox)
    attendees = tuple(_attendees(event, organizer))
    cancelled = _word(event, "STATUS") == "CANCELLED"
    reminder = _reminder(event)
    return Item(
        subject=str(value_of(event, "SUMMARY", "")),
        body=str(value_of(event, "DESCRIPTION", "")),
        location=str(value_of(event, "LOCATION", "")),
        sensitivity=_CLASS.get(_word(event, "CLASS"), "Normal"),
        importance=_importance(event),
        categories=_categories(event),
        created=_stamp(event, "CREATED") or _stamp(event, "DTSTAMP") or now,
        modified=_stamp(event, "LAST-MODIFIED") or now,
        reminder_set=reminder is not None,
        reminder_minutes=_REMINDER_MINUTES if reminder is None else reminder,
        show_as=_show_as(event),
        cancelled=cancelled,
        request_sent=bool(attendees),
        my_response=_own_response(attendees, organizer, mailbox),
        organizer=organizer,
        attendees=attendees,
        sequence=int(value_of(event, "SEQUENCE", 0)),
    )


def _word(event: Component, name: str) -> str:
    value = value_of(event, name)
    return str(value[0] if isinstance(value, list) else value or "").strip().upper()


def _show_as(event: Component) -> str:
    told = _BUSY.get(_word(event, "X-MICROSOFT-CDO-BUSYSTATUS"))
    if told:
        return told
    if _word(event, "TRANSP") == "TRANSPARENT":
        return "Free"
    if _word(event, "STATUS") == "TENTATIVE":
        return "Tentative"
    opaque = _word(event, "TRANSP") == "OPAQUE"
    all_day = value_of(event, "DTSTART") is not None and not isinstance(value_of(event, "DTSTART").dt, datetime)
    return "Free" if all_day and not opaque else "Busy"


def _importance(event: Component) -> str:
    priority = int(value_of(event, "PRIORITY", 0) or 0)
    if 1 <= priority <= 4:
        return "High"
    return "Low" if 6 <= priority <= 9 else "Normal"


def _categories(event: Component) -> tuple[str, ...]:
    found = value_of(event, "CATEGORIES")
    if found is None:
        return ()
    names = [str(c) for each in (found if isinstance(found, list) else [found]) for c in getattr(each, "cats", [each])]
    return tuple(dict.fromkeys(name.strip() for name in names if name.strip()))


def _stamp(event: Component, name: str) -> datetime | None:
    value = getattr(value_of(event, name), "dt", None)
    if not isinstance(value, datetime):
        return None
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)


def _reminder(event: Component) -> int | None:
    for alarm in event.walk("VALARM"):
        trigger = getattr(value_of(alarm, "TRIGGER"), "dt", None)
        if isinstance(trigger, timedelta) and trigger <= timedelta():
            return min(int(-trigger.total_seconds()) // 60, _REMINDER_MINUTES_MAX)
    return None


def _person(value: Property) -> Person | None:
    first = value[0] if isinstance(value, list) else value
    if first is None:
        return None
    text = str(first)
    address = text.partition(":")[2] if text.lower().startswith("mailto:") else text
    address = address.strip().lower()
    name = str(getattr(first, "params", {}).get("CN", "")).strip('"')
    return Person(address, name) if "@" in address else None


def _attendees(event: Component, organizer: Person) -> list[Attendee]:
    found = value_of(event, "ATTENDEE")
    people: dict[str, Attendee] = {}
    for value in found if isinstance(found, list) else [found]:
        person = _person(value)
        if person is None or person.address == organizer.address:
            continue
        params = getattr(value, "params", {})
        resource = str(params.get("CUTYPE", "")).upper() in ("ROOM", "RESOURCE")
        optional = str(params.get("ROLE", "")).upper() in ("OPT-PARTICIPANT", "NON-PARTICIPANT")
        people[person.address] = Attendee(
            address=person.address,
            name=person.name,
            role="Resource" if resource else "Optional" if optional else "Required",
            response=_RESPONSE.get(str(params.get("PARTSTAT", "")).upper(), "Unknown"),
        )
    return list(people.values())


def _own_response(attendees: tuple[Attendee, ...], organizer: Person, mailbox: Mailbox) -> str:
    if organizer.address == mailbox.address:
        return "Organizer"
    for attendee in attendees:
        if attendee.address == mailbox.address and attendee.response != "Unknown":
            return attendee.response
    return "NoResponseReceived"
