"""Restrictions and sort orders of FindItem, applied to items in memory.

A restriction becomes a predicate over views. Paths that Exchange refuses to search (calendar:UID) are refused here
too. Source: the pages Restriction and FieldURI of the EWS reference.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from datetime import datetime

from lxml import etree

from syncline.emulators.exchange.call import Call
from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.model import ExtendedKey
from syncline.emulators.exchange.view import View
from syncline.emulators.exchange.wire import T, local, read_instant
from syncline.emulators.exchange.wire_extended import CLEAN_GLOBAL_OBJECT_ID, SETS, normal, read_key, value_of
from syncline.emulators.exchange.wire_fields import body_text

Value = str | int | bool | datetime | None
Predicate = Callable[[View], bool]

# Each path gives the values that it compares: several for categories, none when absent.
PATHS: dict[str, Callable[[View], tuple[Value, ...]]] = {
    "item:ItemClass": lambda v: (v.item.item_class,),
    "item:Subject": lambda v: (v.item.subject,),
    "item:Body": lambda v: (body_text(v.item.body, v.item.body_type),),
    "item:Categories": lambda v: v.item.categories,
    "item:Importance": lambda v: (("Low", "Normal", "High").index(v.item.importance),),
    "item:Sensitivity": lambda v: (v.item.sensitivity,),
    "item:DateTimeCreated": lambda v: (v.item.created,),
    "item:DateTimeReceived": lambda v: (v.item.created,),
    "item:DateTimeSent": lambda v: (v.item.created,),
    "item:LastModifiedTime": lambda v: (v.item.modified,),
    "item:ReminderIsSet": lambda v: (v.item.reminder_set,),
    "item:HasAttachments": lambda v: (v.item.has_files,),
    "item:IsAssociated": lambda _: (False,),
    "item:IsDraft": lambda v: (v.item.is_draft,),
    "item:ReminderMinutesBeforeStart": lambda v: (v.item.reminder_minutes,),
    "calendar:Start": lambda v: (v.item.start,),
    "calendar:End": lambda v: (v.item.end,),
    "calendar:Location": lambda v: (v.item.location,),
    "calendar:LegacyFreeBusyStatus": lambda v: (v.item.show_as,),
    "calendar:IsAllDayEvent": lambda v: (v.item.all_day,),
    "calendar:IsMeeting": lambda v: (v.item.is_meeting,),
    "calendar:IsCancelled": lambda v: (v.item.cancelled,),
    "calendar:IsRecurring": lambda v: (v.item.recurrence is not None,),
    "calendar:CalendarItemType": lambda v: (v.type,),
    "calendar:MyResponseType": lambda v: (v.item.my_response,),
    "calendar:Organizer": lambda v: (v.item.organizer.address,) if v.item.organizer else (),
    "message:IsRead": lambda v: (v.item.is_read,),
    "message:From": lambda v: (v.item.sender.address,) if v.item.sender else (),
    "message:Sender": lambda v: (v.item.sender.address,) if v.item.sender else (),
}
_IMPORTANCE = {"Low": 0, "Normal": 1, "High": 2}
_COMPARE: dict[str, Callable[[Value, Value], bool]] = {
    "IsEqualTo": lambda a, b: a == b,
    "IsNotEqualTo": lambda a, b: a != b,
    "IsGreaterThan": lambda a, b: a > b,  # type: ignore[operator]
    "IsGreaterThanOrEqualTo": lambda a, b: a >= b,  # type: ignore[operator]
    "IsLessThan": lambda a, b: a < b,  # type: ignore[operator]
    "IsLessThanOrEqualTo": lambda a, b: a <= b,  # type: ignore[operator]
}


def predicate(call: Call, condition: etree._Element) -> Predicate:
    """Return the test that a search expression stands for; raises ErrorUnsupportedPathForQuery."""
    name = local(condition)
    if name in ("And", "Or"):
        parts = [predicate(call, c) for c in condition]
        join = all if name == "And" else any
        return lambda view: join(part(view) for part in parts)
    if name == "Not":
        inner = predicate(call, condition[0])
        return lambda view: not inner(view)
    if name not in _COMPARE and name not in ("Exists", "Contains"):
        raise call.refuse(f"Restriction {name}.")
    values = path_values(condition[0])
    if name == "Exists":
        return lambda view: bool(values(view))
    if name == "Contains":
        return _contains(condition, values)
    return _compare(condition, name, values)


def path_values(path: etree._Element) -> Callable[[View], tuple[Value, ...]]:
    """Return what reads the values of a path from a view; raises ErrorUnsupportedPathForQuery."""
    if local(path) == "ExtendedFieldURI":
        return _extended(read_key(path))
    found = PATHS.get(path.get("FieldURI", ""))
    if found is None:
        raise EwsError("ErrorUnsupportedPathForQuery")
    return found


def _extended(key: ExtendedKey) -> Callable[[View], tuple[Value, ...]]:
    def values(view: View) -> tuple[Value, ...]:
        found = value_of(view.item, key)
        return found.values if found else ()

    return values


def _constant(condition: etree._Element) -> str:
    constant = condition.find(f"{T}FieldURIOrConstant/{T}Constant")
    if constant is None:
        raise EwsError("ErrorInvalidRequest", "A restriction compares with a constant only.")
    return constant.get("Value", "")


def _compare(condition: etree._Element, name: str, values: Callable[[View], tuple[Value, ...]]) -> Predicate:
    text = _constant(condition)
    compare = _COMPARE[name]

    def test(view: View) -> bool:
        found = values(view)
        if not found:
            return name == "IsNotEqualTo"
        return any(compare(_plain(value), _like(value, text)) for value in found)

    return test


def _plain(value: Value) -> Value:
    return value.casefold() if isinstance(value, str) else value


def _like(value: Value, text: str) -> Value:
    """Return the constant as a value of the type that it is compared with."""
    if isinstance(value, bool):
        return text.lower() in ("true", "1")
    if isinstance(value, datetime):
        wanted = read_instant(text)
        return wanted if wanted.tzinfo else wanted.replace(tzinfo=value.tzinfo)
    if isinstance(value, int):
        return _IMPORTANCE[text] if text in _IMPORTANCE else int(text)
    return text.casefold()


def _contains(condition: etree._Element, values: Callable[[View], tuple[Value, ...]]) -> Predicate:
    constant = condition.find(f"{T}Constant")
    wanted = constant.get("Value", "") if constant is not None else ""
    mode = condition.get("ContainmentMode", "FullString")
    fold = condition.get("ContainmentComparison", "Exact") != "Exact"
    wanted = wanted.casefold() if fold else wanted

    def holds(text: str) -> bool:
        text = text.casefold() if fold else text
        if mode == "FullString":
            return text == wanted
        if mode in ("Prefixed", "PrefixOnWords"):
            return text.startswith(wanted)
        if mode == "ExactPhrase":
            return f" {wanted} " in f" {text} "
        return wanted in text

    return lambda view: any(holds(value) for value in values(view) if isinstance(value, str))


def sort_key(order: etree._Element) -> Callable[[View], tuple[bool, Value]]:
    """Return the key of one FieldOrder; items without a value come first."""
    values = path_values(order[0])

    def key(view: View) -> tuple[bool, Value]:
        found = values(view)
        return (bool(found), found[0] if found else "")

    return key


def wanted_meetings(condition: etree._Element | None) -> frozenset[bytes] | None:
    """Return the clean global object ids when the whole restriction searches for meetings by them: an index serves."""
    if condition is None:
        return None
    if local(condition) == "Or":
        parts = [wanted_meetings(part) for part in condition]
        known = [part for part in parts if part is not None]
        return frozenset().union(*known) if len(known) == len(parts) else None
    if local(condition) != "IsEqualTo" or local(condition[0]) != "ExtendedFieldURI":
        return None
    key = normal(read_key(condition[0]))
    if key.guid != SETS["Meeting"] or key.id != CLEAN_GLOBAL_OBJECT_ID:
        return None
    try:
        return frozenset({b64decode(_constant(condition), validate=True)})
    except ValueError:
        return frozenset()
