"""Fields of a VEVENT as those of an item: texts, people, show-as, reminder, and times with their zones.

Source of the mapping: RFC 5545 and [MS-OXCICAL]. Knows one event at a time, nothing of series or the store.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from icalendar import Event

from syncline.emulators.exchange.call import person_of
from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.model import Attendee, Item, Mailbox, Person, ZoneRef
from syncline.emulators.exchange.zones import to_utc, zone_ref

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


def moment(entry: Any, mailbox: Mailbox, floating: ZoneRef | None = None) -> Moment:  # noqa: ANN401 - a property with dt
    """Return what a DTSTART, DTEND, RECURRENCE-ID or EXDATE means in a mailbox; `floating` is for times without zone."""
    value = entry.dt
    own = zone_ref(mailbox.zone)
    if not isinstance(value, datetime):
        assert isinstance(value, date)
        return Moment(to_utc(datetime.combine(value, time()), own), own, all_day=True)
    value = value.replace(microsecond=0)
    if value.tzinfo is None:
        zone, named = _by_name(entry.params.get("TZID"), floating or own)
        return Moment(to_utc(value, zone), zone, named=named)
    zone, named = _by_name(entry.params.get("TZID") or _key(value.tzinfo), own)
    if not named:
        return Moment(value.astimezone(UTC), own, named=False)
    return Moment(to_utc(value.replace(tzinfo=None), zone), zone)


def _key(zone: tzinfo) -> str | None:
    name = getattr(zone, "key", None) or getattr(zone, "zone", None)
    if name:
        return str(name)
    return "UTC" if zone.utcoffset(None) == timedelta() else None


def _by_name(name: str | None, otherwise: ZoneRef) -> tuple[ZoneRef, bool]:
    if not name:
        return otherwise, True
    try:
        return zone_ref(str(name)), True
    except EwsError:
        return otherwise, False


def base_item(event: Event, mailbox: Mailbox, now: datetime) -> Item:
    """Return everything of an event but its times and its rule."""
    organizer = _person(event.get("ORGANIZER")) or person_of(mailbox)
    attendees = tuple(_attendees(event, organizer))
    cancelled = _word(event, "STATUS") == "CANCELLED"
    reminder = _reminder(event)
    return Item(
        subject=str(event.get("SUMMARY", "")),
        body=str(event.get("DESCRIPTION", "")),
        location=str(event.get("LOCATION", "")),
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
        sequence=int(event.get("SEQUENCE", 0)),
    )


def _word(event: Event, name: str) -> str:
    value = event.get(name)
    return str(value[0] if isinstance(value, list) else value or "").strip().upper()


def _show_as(event: Event) -> str:
    told = _BUSY.get(_word(event, "X-MICROSOFT-CDO-BUSYSTATUS"))
    if told:
        return told
    if _word(event, "TRANSP") == "TRANSPARENT":
        return "Free"
    if _word(event, "STATUS") == "TENTATIVE":
        return "Tentative"
    opaque = _word(event, "TRANSP") == "OPAQUE"
    all_day = event.get("DTSTART") is not None and not isinstance(event["DTSTART"].dt, datetime)
    return "Free" if all_day and not opaque else "Busy"


def _importance(event: Event) -> str:
    priority = int(event.get("PRIORITY", 0) or 0)
    if 1 <= priority <= 4:
        return "High"
    return "Low" if 6 <= priority <= 9 else "Normal"


def _categories(event: Event) -> tuple[str, ...]:
    found = event.get("CATEGORIES")
    if found is None:
        return ()
    names = [str(c) for each in (found if isinstance(found, list) else [found]) for c in getattr(each, "cats", [each])]
    return tuple(dict.fromkeys(name.strip() for name in names if name.strip()))


def _stamp(event: Event, name: str) -> datetime | None:
    value = getattr(event.get(name), "dt", None)
    if not isinstance(value, datetime):
        return None
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)


def _reminder(event: Event) -> int | None:
    for alarm in event.walk("VALARM"):
        trigger = getattr(alarm.get("TRIGGER"), "dt", None)
        if isinstance(trigger, timedelta) and trigger <= timedelta():
            return min(int(-trigger.total_seconds()) // 60, _REMINDER_MINUTES_MAX)
    return None


def _person(value: Any) -> Person | None:  # noqa: ANN401 - a vCalAddress or a list of them
    first = value[0] if isinstance(value, list) else value
    if first is None:
        return None
    text = str(first)
    address = text.partition(":")[2] if text.lower().startswith("mailto:") else text
    address = address.strip().lower()
    name = str(getattr(first, "params", {}).get("CN", "")).strip('"')
    return Person(address, name) if "@" in address else None


def _attendees(event: Event, organizer: Person) -> list[Attendee]:
    found = event.get("ATTENDEE")
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
