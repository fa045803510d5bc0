"""What UpdateItem does: set, append and delete fields of an item, a series or one occurrence.

A change of a series' fields reaches those exceptions that had the same value; a change of its time or pattern drops
exceptions and deletions, as Exchange does. Who is mailed is in `meetings`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from lxml import etree
from msgspec import structs

from syncline.emulators.exchange import meetings, series
from syncline.emulators.exchange.call import Call
from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.identifiers import read_change_key
from syncline.emulators.exchange.model import Item, Stored
from syncline.emulators.exchange.wire import local
from syncline.emulators.exchange.wire_extended import read_key, without
from syncline.emulators.exchange.wire_read import finish, order_of, read_attendees, read_field
from syncline.emulators.exchange.zones import to_wall

_TIMES = ("start", "end", "all_day", "start_zone", "recurrence")
_OWN = {*_TIMES, "end_zone", "exceptions", "deleted", "original_start", "my_response", "reply_time", "modified",
        "created", "cancelled"}  # fmt: skip
_INHERITED = tuple(f.name for f in fields(Item) if f.name not in _OWN)


def check_key(stored: Stored, change_key: str | None, resolution: str) -> None:
    """Refuse an update with a stale or missing ChangeKey, as ConflictResolution says."""
    if resolution == "AlwaysOverwrite":
        return
    if not change_key:
        raise EwsError("ErrorChangeKeyRequiredForWriteOperations")
    if resolution == "NeverOverwrite" and read_change_key(change_key) != stored.change:
        raise EwsError("ErrorIrresolvableConflict")


def update(
    call: Call, stored: Stored, original: datetime | None, updates: list[etree._Element], mode: str | None
) -> Stored:
    """Apply the changes of one ItemChange and return the item as it is stored now."""
    if stored.item.is_calendar and mode is None:
        raise EwsError("ErrorSendMeetingInvitationsOrCancellationsRequired")
    ordered = sorted(updates, key=lambda element: order_of(_name(element)))
    if not stored.item.is_calendar:
        return call.store.replace(stored, replace(_apply(stored.item, ordered), modified=call.clock.now()))
    if original is not None:
        return _update_occurrence(call, stored, original, ordered, mode or "")
    laid_out = any(_name(element) == "Recurrence" for element in ordered)
    return change(call, stored, _apply(stored.item, ordered), mode or "", laid_out=laid_out)


def change(call: Call, stored: Stored, after: Item, mode: str, *, laid_out: bool = False) -> Stored:
    """Store a single or a whole series with other fields, tell whom the mode means, and return it.

    `laid_out`: its recurrence was written, be it the same, so that exceptions and deletions are forgotten.
    """
    changed = replace(_settled(stored.item, after, laid_out=laid_out), modified=call.clock.now())
    return meetings.after_update(call, stored, changed, mode)


def change_occurrence(call: Call, stored: Stored, occurrence: Item, changed: Item, mode: str) -> Stored:
    """Store a series of which one occurrence has other fields, tell whom the mode means, and return it."""
    if changed.recurrence is not None:
        raise EwsError("ErrorInvalidPropertySet", "An occurrence has no recurrence of its own.")
    now = call.clock.now()
    exception = finish(replace(changed, modified=now, original_start=occurrence.original_start))
    after = replace(series.with_exception(stored.item, exception), modified=now)
    return meetings.after_occurrence_update(call, stored, after, occurrence, exception, mode)


def _settled(before: Item, after: Item, *, laid_out: bool) -> Item:
    if before.recurrence is None and after.recurrence is None:
        return finish(after)
    if not laid_out and all(getattr(before, name) == getattr(after, name) for name in _TIMES):
        return _inherit(before, after)
    after = replace(after, exceptions=(), deleted=())
    if after.recurrence is not None and after.recurrence == before.recurrence:
        first = to_wall(after.start, after.start_zone).date()
        after = replace(after, recurrence=structs.replace(after.recurrence, first=first))
    return finish(after)


def _inherit(before: Item, after: Item) -> Item:
    """Return the series with its changed fields carried into the exceptions that did not differ in them."""
    changed = {n: getattr(after, n) for n in _INHERITED if getattr(after, n) != getattr(before, n)}
    if not changed:
        return after
    exceptions = []
    for exception in after.exceptions:
        same: dict[str, Any] = {n: v for n, v in changed.items() if getattr(exception, n) == getattr(before, n)}
        exceptions.append(replace(exception, **same))
    return replace(after, exceptions=tuple(exceptions))


def _update_occurrence(
    call: Call, stored: Stored, original: datetime, updates: list[etree._Element], mode: str
) -> Stored:
    occurrence = series.by_original_start(stored.item, original)
    return change_occurrence(call, stored, occurrence, _apply(occurrence, updates), mode)


def _apply(item: Item, updates: list[etree._Element]) -> Item:
    for element in updates:
        verb = local(element)
        if verb not in _VERBS:
            raise EwsError("ErrorSchemaValidation", f"{verb} is no update.", fault=True)
        item = _VERBS[verb](element, item)
    return item


def _name(element: etree._Element) -> str:
    """Return the local name of the property that an update is about."""
    path = element[0]
    return path.get("FieldURI", "").partition(":")[2]


def _value(element: etree._Element) -> etree._Element:
    """Return the property's element inside SetItemField or AppendToItemField."""
    if len(element) != 2 or len(element[1]) != 1:
        raise EwsError("ErrorIncorrectUpdatePropertyCount", "An update must hold exactly one property.")
    value = element[1][0]
    name = _name(element)
    if name and name != local(value):
        raise EwsError("ErrorUpdatePropertyMismatch", "The property is not the one of the path.")
    return value


def _set(element: etree._Element, item: Item) -> Item:
    value = _value(element)
    if local(value) == "UID":
        raise EwsError("ErrorInvalidPropertySet", "UID can not be changed.")
    return read_field(value, item)


def _append(element: etree._Element, item: Item) -> Item:
    value = _value(element)
    name = local(value)
    if name == "Body":
        return replace(item, body=item.body + (value.text or ""))
    roles = {"RequiredAttendees": "Required", "OptionalAttendees": "Optional", "Resources": "Resource"}
    if name in roles:
        known = {a.address for a in item.attendees}
        fresh = [a for a in read_attendees(value, roles[name]) if a.address not in known]
        return replace(item, attendees=(*item.attendees, *fresh))
    raise EwsError("ErrorInvalidPropertyAppend")


def _delete(element: etree._Element, item: Item) -> Item:
    path = element[0]
    if local(path) == "ExtendedFieldURI":
        return without(item, read_key(path))
    clear = CLEARS.get(_name(element))
    if clear is None:
        raise EwsError("ErrorInvalidPropertyDelete")
    return clear(item)


def _role_cleared(role: str) -> Callable[[Item], Item]:
    return lambda item: replace(item, attendees=tuple(a for a in item.attendees if a.role != role))


CLEARS: dict[str, Callable[[Item], Item]] = {
    "Subject": lambda item: replace(item, subject=""),
    "Body": lambda item: replace(item, body=""),
    "Location": lambda item: replace(item, location=""),
    "Categories": lambda item: replace(item, categories=()),
    "RequiredAttendees": _role_cleared("Required"),
    "OptionalAttendees": _role_cleared("Optional"),
    "Resources": _role_cleared("Resource"),
    "Recurrence": lambda item: replace(item, recurrence=None),
    "ReminderIsSet": lambda item: replace(item, reminder_set=False),
    "ReminderMinutesBeforeStart": lambda item: replace(item, reminder_minutes=0),
    "Importance": lambda item: replace(item, importance="Normal"),
    "Sensitivity": lambda item: replace(item, sensitivity="Normal"),
    "LegacyFreeBusyStatus": lambda item: replace(item, show_as="Busy"),
    **dict.fromkeys(
        ("MeetingWorkspaceUrl", "NetShowUrl", "ConferenceType", "Flag", "Culture", "EnhancedLocation", "ReminderDueBy"),
        lambda item: item,
    ),
}

_VERBS: dict[str, Callable[[etree._Element, Item], Item]] = {
    "SetItemField": _set,
    "AppendToItemField": _append,
    "DeleteItemField": _delete,
}
