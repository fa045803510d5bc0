"""XML to item: one reader per element of a calendar item or mail, used by CreateItem and by SetItemField alike.

A reader takes the element and the item so far and returns the next item. Zones are read first, because a time
without an offset is a wall time of the item's zone. Knows nothing of the store or of who is mailed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta

from lxml import etree

from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.model import Attendee, Item, Person, ZoneRef
from syncline.emulators.exchange.series import fit_start
from syncline.emulators.exchange.wire import T, escape, local, read_instant
from syncline.emulators.exchange.wire_extended import read_value, with_value
from syncline.emulators.exchange.wire_recurrence import read_recurrence
from syncline.emulators.exchange.zones import known_ids, to_utc, to_wall, zone_info, zone_ref

Reader = Callable[[etree._Element, Item], Item]
DURATION_MAX = timedelta(days=365 * 5 + 2)
BODY_CHARACTERS_MAX = 4_000_000


def read_item(element: etree._Element, base: Item, zone: ZoneRef) -> Item:
    """Return the item that an element of CreateItem describes; `zone` is that of the request's header."""
    item = replace(base, start_zone=zone, end_zone=zone)
    children = list(element)
    for child in sorted(children, key=_order):
        item = read_field(child, item)
    if any(local(c) == "StartTimeZone" for c in children) and not any(local(c) == "EndTimeZone" for c in children):
        item = replace(item, end_zone=item.start_zone)
    return item


def read_field(element: etree._Element, item: Item) -> Item:
    """Return the item with one more element read; raises ErrorInvalidPropertySet for what is read-only."""
    name = local(element)
    reader = READERS.get(name)
    if reader is None:
        if name in IGNORED:
            return item
        raise EwsError("ErrorInvalidPropertySet", f"{name} can not be set.")
    try:
        return reader(element, item)
    except ValueError:
        raise EwsError("ErrorSchemaValidation", f"{name} has an invalid value.", fault=True) from None


def finish(item: Item) -> Item:
    """Return a calendar item with all-day times at midnight, checked as Exchange checks it."""
    if item.all_day:
        item = _whole_days(item)
    if item.recurrence is not None:
        item = fit_start(item)
    if item.end < item.start:
        raise EwsError("ErrorCalendarEndDateIsEarlierThanStartDate")
    if item.end - item.start > DURATION_MAX:
        raise EwsError("ErrorCalendarDurationIsTooLong")
    return item


def _whole_days(item: Item) -> Item:
    midnight = {"hour": 0, "minute": 0, "second": 0}
    start = to_wall(item.start, item.start_zone).replace(**midnight)  # type: ignore[arg-type]
    end = to_wall(item.end, item.start_zone)
    if end != end.replace(**midnight) or end <= start:  # type: ignore[arg-type]
        end = end.replace(**midnight) + timedelta(days=1)  # type: ignore[arg-type]
    zone = item.start_zone
    return replace(item, start=to_utc(start, zone), end=to_utc(end, zone), end_zone=zone)


_FIRST = {"MeetingTimeZone": 0, "StartTimeZone": 1, "EndTimeZone": 2}


def order_of(name: str) -> int:
    """Return the place of an element among others: zones before times."""
    return _FIRST.get(name, 3)


def _order(element: etree._Element) -> int:
    return order_of(local(element))


def _text_reader(field: str) -> Reader:
    return lambda element, item: replace(item, **{field: element.text or ""})  # type: ignore[arg-type]


def _flag_reader(field: str) -> Reader:
    return lambda element, item: replace(item, **{field: (element.text or "").strip() in ("true", "1")})  # type: ignore[arg-type]


def _choice_reader(field: str, choices: Iterable[str]) -> Reader:
    allowed = frozenset(choices)

    def read(element: etree._Element, item: Item) -> Item:
        text = (element.text or "").strip()
        if text not in allowed:
            raise ValueError(text)
        return replace(item, **{field: text})  # type: ignore[arg-type]

    return read


def _body(element: etree._Element, item: Item) -> Item:
    text = element.text or ""
    if len(text) > BODY_CHARACTERS_MAX:
        raise EwsError("ErrorValueOutOfRange")
    return replace(item, body=text, body_type=element.get("BodyType") or "Text")


def _categories(element: etree._Element, item: Item) -> Item:
    return replace(item, categories=tuple(dict.fromkeys(e.text or "" for e in element)))


def _extended(element: etree._Element, item: Item) -> Item:
    return with_value(item, read_value(element))


def _start(element: etree._Element, item: Item) -> Item:
    value = read_instant(element.text or "")
    return replace(item, start=value if value.tzinfo else to_utc(value, item.start_zone))


def _end(element: etree._Element, item: Item) -> Item:
    value = read_instant(element.text or "")
    return replace(item, end=value if value.tzinfo else to_utc(value, item.end_zone))


def read_zone(element: etree._Element) -> ZoneRef:
    """Return the zone of a StartTimeZone or TimeZoneDefinition; raises ErrorTimeZone."""
    ident = element.get("Id") or element.get("TimeZoneName") or ""
    if len(element) == 0 or ident in known_ids():
        return zone_ref(ident)
    text = "".join(etree.tostring(child, encoding="unicode") for child in element)
    zone = ZoneRef(ident or "Customized Time Zone", element.get("Name") or ident, _canonical(text))
    zone_info(zone)
    return zone


def _canonical(text: str) -> str:
    """Return a definition with the prefix t, whatever prefix the client used."""
    uri = T[1:-1]
    root = etree.fromstring(f"<z>{text}</z>")

    def write(element: etree._Element) -> str:
        inner = "".join(write(child) for child in element) or escape((element.text or "").strip())
        attributes = "".join(
            f' {name!s}="{escape(str(value))}"' for name, value in element.attrib.items() if uri not in str(name)
        )
        return f"<t:{local(element)}{attributes}>{inner}</t:{local(element)}>"

    return "".join(write(child) for child in root)


def _start_zone(element: etree._Element, item: Item) -> Item:
    return replace(item, start_zone=read_zone(element))


def _end_zone(element: etree._Element, item: Item) -> Item:
    return replace(item, end_zone=read_zone(element))


def _meeting_zone(element: etree._Element, item: Item) -> Item:
    zone = read_zone(element) if element.get("TimeZoneName") else item.start_zone
    return replace(item, start_zone=zone, end_zone=zone)


def read_person(element: etree._Element) -> Person:
    """Return the address and name of a Mailbox element."""
    address = (element.findtext(f"{T}EmailAddress") or "").strip().lower()
    if not address:
        raise EwsError("ErrorInvalidRequest", "An attendee has no address.")
    return Person(address, element.findtext(f"{T}Name") or "")


def read_attendees(element: etree._Element, role: str) -> tuple[Attendee, ...]:
    """Return the people of RequiredAttendees, OptionalAttendees or Resources."""
    people = []
    for child in element:
        mailbox = child.find(f"{T}Mailbox")
        person = read_person(mailbox if mailbox is not None else child)
        people.append(Attendee(address=person.address, name=person.name, role=role))
    return tuple(people)


def _attendees(role: str) -> Reader:
    def read(element: etree._Element, item: Item) -> Item:
        known = {a.address: a for a in item.attendees}
        fresh = [replace(known.get(a.address, a), role=role) for a in read_attendees(element, role)]
        return replace(item, attendees=(*(a for a in item.attendees if a.role != role), *fresh))

    return read


def _recurrence(element: etree._Element, item: Item) -> Item:
    return replace(item, recurrence=read_recurrence(element))


def _minutes(element: etree._Element, item: Item) -> Item:
    return replace(item, reminder_minutes=int(element.text or 0))


def _recipients(element: etree._Element, item: Item) -> Item:
    return replace(item, recipients=tuple(read_person(e) for e in element))


def _sender(element: etree._Element, item: Item) -> Item:
    return replace(item, sender=read_person(element[0]))


READERS: dict[str, Reader] = {
    "ItemClass": _text_reader("item_class"),
    "Subject": _text_reader("subject"),
    "Sensitivity": _choice_reader("sensitivity", ("Normal", "Personal", "Private", "Confidential")),
    "Body": _body,
    "Categories": _categories,
    "Importance": _choice_reader("importance", ("Low", "Normal", "High")),
    "ReminderIsSet": _flag_reader("reminder_set"),
    "ReminderMinutesBeforeStart": _minutes,
    "ExtendedProperty": _extended,
    "UID": _text_reader("uid"),
    "Start": _start,
    "End": _end,
    "IsAllDayEvent": _flag_reader("all_day"),
    "LegacyFreeBusyStatus": _choice_reader(
        "show_as", ("Free", "Tentative", "Busy", "OOF", "WorkingElsewhere", "NoData")
    ),
    "Location": _text_reader("location"),
    "IsResponseRequested": _flag_reader("response_requested"),
    "RequiredAttendees": _attendees("Required"),
    "OptionalAttendees": _attendees("Optional"),
    "Resources": _attendees("Resource"),
    "Recurrence": _recurrence,
    "StartTimeZone": _start_zone,
    "EndTimeZone": _end_zone,
    "MeetingTimeZone": _meeting_zone,
    "ToRecipients": _recipients,
    "Sender": _sender,
    "From": _sender,
    "IsRead": _flag_reader("is_read"),
}

# Accepted and without effect here: hints that no answer of this server depends on.
IGNORED = frozenset(
    {
        "AllowNewTimeProposal", "ConferenceType", "Culture", "DoNotForwardMeeting", "EndWallClock", "EnhancedLocation",
        "Flag", "IsDeliveryReceiptRequested", "IsOnlineMeeting", "IsReadReceiptRequested", "ReminderDueBy",
        "StartWallClock", "CcRecipients", "BccRecipients", "MeetingWorkspaceUrl", "NetShowUrl", "ReplyTo",
        "References", "InReplyTo", "ConversationIndex", "InternetMessageId", "DateTimeStamp",
    }
)  # fmt: skip
