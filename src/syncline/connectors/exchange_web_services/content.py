"""What an item means: the fields of a calendar item as one appointment of the core.

Pure. An item that cannot be taken raises a SyncError of its own, so that it alone fails; the message names its subject
and never its body. This module knows zones, all-day dates, series and identities (ews-facts.md); it must not know
requests or the network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from msgspec.structs import replace

from syncline.connectors.exchange_web_services.identities import embedded_date, identity_text, text_of_clean_id
from syncline.connectors.exchange_web_services.wire import InvalidAnswer
from syncline.connectors.exchange_web_services.wire_answers import categories_of, truth
from syncline.connectors.exchange_web_services.wire_items import Item, Person
from syncline.connectors.exchange_web_services.wire_recurrence import UnsupportedPattern, recurrence
from syncline.connectors.exchange_web_services.wire_zones import zone_of
from syncline.core.appointment import (
    Address,
    Appointment,
    Attendee,
    Identity,
    Importance,
    Recurrence,
    Response,
    Role,
    Sensitivity,
    ShowAs,
    Span,
)
from syncline.core.bodies import text_of
from syncline.core.patterns import first_fitting
from syncline.core.times import UnknownZone, all_day, instant, wall
from syncline.errors import SyncError

_SHOW_AS: Final[Mapping[str, ShowAs]] = {
    "Free": ShowAs.FREE,
    "Tentative": ShowAs.TENTATIVE,
    "Busy": ShowAs.BUSY,
    "OOF": ShowAs.OUT_OF_OFFICE,
    "WorkingElsewhere": ShowAs.WORKING_ELSEWHERE,
}
_RESPONSES: Final[Mapping[str, Response]] = {
    "Organizer": Response.ORGANIZER,
    "Tentative": Response.TENTATIVE,
    "Accept": Response.ACCEPTED,
    "Decline": Response.DECLINED,
}
_SENSITIVITY: Final[Mapping[str, Sensitivity]] = {value.value.capitalize(): value for value in Sensitivity}
_IMPORTANCE: Final[Mapping[str, Importance]] = {value.value.capitalize(): value for value in Importance}
_ROLES: Final = (
    ("RequiredAttendees", Role.REQUIRED),
    ("OptionalAttendees", Role.OPTIONAL),
    ("Resources", Role.RESOURCE),
)
_NOON: Final = timedelta(hours=12)
_DAY: Final = timedelta(days=1)
_COUNT_MAX: Final = 999


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading an item needs besides it: the mailbox, its zone, and SMTP addresses of other kinds of address."""

    mailbox: str
    zone: str
    addresses: Mapping[str, str]


def appointment(item: Item, reading: Reading) -> Appointment:
    """Return a single, or a series without its exceptions; raises the SyncError of this item."""
    try:
        return _appointment(item, reading)
    except UnsupportedPattern as error:
        raise _refused("RecurrenceNotSupported", item, reading, str(error)) from error
    except UnknownZone as error:
        raise _refused("UnknownTimeZone", item, reading, str(error.args[0])[:100]) from error
    except InvalidAnswer as error:
        raise _refused("ItemUnreadable", item, reading, str(error)) from error
    except (OverflowError, ValueError) as error:
        raise _refused("ItemUnreadable", item, reading, "a date lies outside the calendar") from error


def with_exceptions(master: Appointment, parts: Sequence[tuple[datetime, Item]], reading: Reading) -> Appointment:
    """Return the series with its exceptions: (original start, item) each; raises the SyncError of the first bad one."""
    exceptions = {}
    for start, item in parts:
        original = _original_start(start, master.zone, reading, dates=master.span.all_day)
        part = appointment(item, reading)
        identity = Identity(master.identity.global_object_id, original)
        exceptions[original] = replace(part, identity=identity, recurrence=None, deleted=())
    return replace(master, exceptions=tuple(exceptions[start] for start in sorted(exceptions)))


def strangers(item: Item) -> Iterator[str]:
    """Yield addresses of the item that are not mail addresses and should be looked up, lower case."""
    for people in item.listed.values():
        for person in people:
            if not person.smtp and person.address:
                yield person.address.lower()


def subject_of(item: Item) -> str:
    """Return the subject for messages; a private item's subject stays private."""
    private = item.text("Sensitivity") in ("Private", "Confidential")
    return "(private)" if private else (item.text("Subject") or "")[:200]


def _appointment(item: Item, reading: Reading) -> Appointment:
    zone = _zone(item, reading)
    span = _span(item, zone, reading)
    repeats = _recurrence(item)
    if repeats is not None:
        repeats, span = _aligned(repeats, span, zone)
    return Appointment(
        identity=_identity(item, span, zone, reading),
        subject=item.text("Subject") or "",
        description=_description(item),
        location=item.text("Location") or "",
        span=span,
        zone=zone,
        show_as=_SHOW_AS.get(item.text("LegacyFreeBusyStatus") or "", ShowAs.BUSY),
        sensitivity=_SENSITIVITY.get(item.text("Sensitivity") or "", Sensitivity.NORMAL),
        importance=_IMPORTANCE.get(item.text("Importance") or "", Importance.NORMAL),
        organizer=_organizer(item, reading),
        attendees=_attendees(item, reading),
        categories=categories_of(item.fields.get("Categories")),
        reminder_minutes=_reminder(item),
        canceled=truth(item.text("IsCancelled")),
        response=_RESPONSES.get(item.text("MyResponseType") or "", Response.NONE),
        created=item.instant("DateTimeCreated"),
        recurrence=repeats,
        deleted=_deleted(item, span, zone, reading) if repeats else (),
    )


def _description(item: Item) -> str:
    """Return the body as text: HTML by our own projection (A-15), plain text as it is; the HTML is not kept."""
    element = item.fields.get("Body")
    if element is None or not element.text:
        return ""
    if element.get("BodyType") == "HTML":
        return text_of(element.text)
    return element.text.replace("\r\n", "\n").replace("\r", "\n")


def _zone(item: Item, reading: Reading) -> str:
    element = item.fields.get("StartTimeZone")
    if element is None or not (element.get("Id") or element.get("Name") or len(element)):
        return reading.zone
    return zone_of(element)


def _span(item: Item, zone: str, reading: Reading) -> Span:
    start, end = item.instant("Start"), item.instant("End")
    if start is None or end is None:
        raise _refused("AppointmentScheduleNotSet", item, reading)
    if end < start:
        raise _refused("EndBeforeStart", item, reading)
    if not truth(item.text("IsAllDayEvent")):
        return Span(start, end)
    first = _date(start, zone, reading)
    return all_day(first, max(_date(end, zone, reading), first + _DAY))


def _date(at: datetime, zone: str, reading: Reading) -> date:
    """Return the date whose midnight is meant: in the item's zone, else in the mailbox's, else the nearest one."""
    for name in (zone, reading.zone):
        local = wall(at, name)
        if local.time() == time():
            return local.date()
    return (wall(at, zone) + _NOON).date()


def _original_start(at: datetime, zone: str, reading: Reading, *, dates: bool) -> datetime:
    return datetime.combine(_date(at, zone, reading), time(), UTC) if dates else at


def _recurrence(item: Item) -> Recurrence | None:
    element = item.fields.get("Recurrence")
    if element is None:
        return None
    repeats = recurrence(element)
    if repeats.count is not None and not 1 <= repeats.count <= _COUNT_MAX:
        raise UnsupportedPattern(f"{repeats.count} occurrences")
    if repeats.until is not None and repeats.until < repeats.first:
        raise UnsupportedPattern("it ends before it begins")
    return repeats


def _aligned(repeats: Recurrence, span: Span, zone: str) -> tuple[Recurrence, Span]:
    """Return recurrence and span that name the same first occurrence, whichever of them the server left behind."""
    first = first_fitting(repeats.pattern, repeats.first)
    if first != repeats.first:
        repeats = replace(repeats, first=first)
    if span.all_day:
        shift = first - span.start.date()
        return repeats, Span(span.start + shift, span.end + shift, all_day=True)
    local = wall(span.start, zone)
    if local.date() == first:
        return repeats, span
    start = instant(datetime.combine(first, local.time()), zone)
    return repeats, Span(start, start + (span.end - span.start))


def _identity(item: Item, span: Span, zone: str, reading: Reading) -> Identity:
    """Return who the item is (A-33a); an item without any global id is known by its place alone."""
    uid = (item.text("UID") or "").strip() or text_of_clean_id(item.clean_id()) or f"ews-item:{item.ref}"
    if item.fields.get("Recurrence") is not None:
        return Identity(identity_text(uid))
    recurrence_id = item.instant("RecurrenceId")
    if recurrence_id is not None:
        return Identity(identity_text(uid), _original_start(recurrence_id, zone, reading, dates=span.all_day))
    day = embedded_date(uid)
    return Identity(identity_text(uid), None if day is None else _on_day(day, span, zone))


def _on_day(day: date, span: Span, zone: str) -> datetime:
    """Return the original start that a dated id without RecurrenceId suggests: that day at the item's own time."""
    if span.all_day:
        return datetime.combine(day, time(), UTC)
    return instant(datetime.combine(day, wall(span.start, zone).time()), zone)


def _deleted(item: Item, span: Span, zone: str, reading: Reading) -> tuple[datetime, ...]:
    starts = {_original_start(at, zone, reading, dates=span.all_day) for at in item.deleted()}
    return tuple(sorted(starts))


def _organizer(item: Item, reading: Reading) -> Address | None:
    person = next(iter(item.people("Organizer")), None)
    address = "" if person is None else _address(person, reading)
    return Address(address, person.name) if person is not None and address else None


def _attendees(item: Item, reading: Reading) -> tuple[Attendee, ...]:
    """Return everybody once: who is listed twice keeps the first, more binding role."""
    found: dict[str, Attendee] = {}
    for name, role in _ROLES:
        for person in item.people(name):
            address = _address(person, reading)
            if address and address not in found:
                found[address] = Attendee(address, person.name, role, _RESPONSES.get(person.response, Response.NONE))
    return tuple(found.values())


def _address(person: Person, reading: Reading) -> str:
    """Return the mail address, else what stands for it: the name in the directory, or the name shown."""
    known = (person.address or person.name).strip().lower()
    return known if person.smtp else reading.addresses.get(known, known)


def _reminder(item: Item) -> int | None:
    text = (item.text("ReminderMinutesBeforeStart") or "").strip()
    return int(text) if truth(item.text("ReminderIsSet")) and text.isdecimal() else None


def _refused(code: str, item: Item, reading: Reading, detail: str = "") -> SyncError:
    return SyncError(code, ref=item.ref, mailbox=reading.mailbox, subject=subject_of(item), detail=detail)
