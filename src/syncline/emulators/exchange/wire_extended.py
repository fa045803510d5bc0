"""Extended properties both ways, and the computed ones: the global object ids of a meeting.

Keys are normalized, so that the distinguished set and its GUID name one property. Source: the page
ExtendedFieldURI of the EWS reference; ids in [MS-OXPROPS].
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace

from lxml import etree

from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.identifiers import clean_global_object_id, global_object_id
from syncline.emulators.exchange.model import ExtendedKey, ExtendedValue, Item
from syncline.emulators.exchange.view import View
from syncline.emulators.exchange.wire import T, escape
from syncline.emulators.exchange.zones import to_wall

SETS: dict[str, str] = {
    "Meeting": "6ed8da90-450b-101b-98da-00aa003f1305",
    "Appointment": "00062002-0000-0000-c000-000000000046",
    "Common": "00062008-0000-0000-c000-000000000046",
    "PublicStrings": "00020329-0000-0000-c000-000000000046",
    "Address": "00062004-0000-0000-c000-000000000046",
    "InternetHeaders": "00020386-0000-0000-c000-000000000046",
    "CalendarAssistant": "11000e07-b51b-40d6-af21-caa85edab1d0",
    "UnifiedMessaging": "4442858e-a9e3-4e80-b900-317a210cc15b",
    "Task": "00062003-0000-0000-c000-000000000046",
    "Sharing": "00062040-0000-0000-c000-000000000046",
}
GLOBAL_OBJECT_ID, CLEAN_GLOBAL_OBJECT_ID = "3", "35"


def read_key(element: etree._Element) -> ExtendedKey:
    """Return the key of an ExtendedFieldURI; raises ErrorInvalidExtendedProperty for a wrong combination."""
    key = ExtendedKey(
        kind=element.get("PropertyType", ""),
        set=element.get("DistinguishedPropertySetId", ""),
        guid=element.get("PropertySetId", "").lower(),
        tag=element.get("PropertyTag", "").lower(),
        name=element.get("PropertyName", ""),
        id=element.get("PropertyId", ""),
    )
    in_set = bool(key.set) or bool(key.guid)
    named = bool(key.name) != bool(key.id)
    if key.tag:
        valid = not in_set and not key.name and not key.id
    else:
        valid = in_set and named and bool(key.set) != bool(key.guid) and (not key.set or key.set in SETS)
    if not valid or not key.kind:
        raise EwsError("ErrorInvalidExtendedProperty")
    return key


def same(one: ExtendedKey, other: ExtendedKey) -> bool:
    """Return whether two keys name one property."""
    return normal(one) == normal(other)


def normal(key: ExtendedKey) -> ExtendedKey:
    """Return the key with its set as a GUID and its tag as a plain number."""
    tag = str(int(key.tag, 0)) if key.tag else ""
    return replace(key, set="", guid=SETS.get(key.set, key.guid), tag=tag)


def key_xml(key: ExtendedKey) -> str:
    """Return the ExtendedFieldURI of a key."""
    names = {
        "DistinguishedPropertySetId": key.set,
        "PropertySetId": key.guid,
        "PropertyTag": key.tag,
        "PropertyName": key.name,
        "PropertyId": key.id,
        "PropertyType": key.kind,
    }
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in names.items() if value)
    return f"<t:ExtendedFieldURI{attributes}/>"


def read_value(element: etree._Element) -> ExtendedValue:
    """Return the key and value of an ExtendedProperty element."""
    uri = element.find(f"{T}ExtendedFieldURI")
    if uri is None:
        raise EwsError("ErrorInvalidExtendedProperty")
    several = element.find(f"{T}Values")
    if several is not None:
        return ExtendedValue(read_key(uri), tuple(e.text or "" for e in several))
    return ExtendedValue(read_key(uri), (element.findtext(f"{T}Value") or "",))


def value_of(item: Item, key: ExtendedKey) -> ExtendedValue | None:
    """Return what an item has under a key: a stored value, or a computed global object id."""
    plain = normal(key)
    for value in item.extended:
        if normal(value.key) == plain:
            return value
    if plain.guid == SETS["Meeting"] and key.kind == "Binary" and item.uid:
        if key.id == CLEAN_GLOBAL_OBJECT_ID:
            return ExtendedValue(key, (b64encode(clean_global_object_id(item.uid)).decode(),))
        if key.id == GLOBAL_OBJECT_ID:
            start = item.original_start or item.recurrence_id
            day = to_wall(start, item.start_zone).date() if start else None
            return ExtendedValue(key, (b64encode(global_object_id(item.uid, day)).decode(),))
    return None


def extended_xml(view: View, keys: tuple[ExtendedKey, ...]) -> str:
    """Return the ExtendedProperty elements for the keys that were asked."""
    parts = []
    for key in keys:
        value = value_of(view.item, key)
        if value is None:
            continue
        if key.kind.endswith("Array"):
            inner = "".join(f"<t:Value>{escape(v)}</t:Value>" for v in value.values)
            inner = f"<t:Values>{inner}</t:Values>"
        else:
            inner = f"<t:Value>{escape(value.values[0])}</t:Value>"
        parts.append(f"<t:ExtendedProperty>{key_xml(key)}{inner}</t:ExtendedProperty>")
    return "".join(parts)


def with_value(item: Item, value: ExtendedValue) -> Item:
    """Return the item with that property set."""
    rest = tuple(v for v in item.extended if not same(v.key, value.key))
    return replace(item, extended=(*rest, value))


def without(item: Item, key: ExtendedKey) -> Item:
    """Return the item without that property."""
    return replace(item, extended=tuple(v for v in item.extended if not same(v.key, key)))
