"""One calendar item as it stands in an answer: its fields by name, read on demand.

`Item` is a thin view over the parsed element: cheap for ten thousand items, and blind to the order of elements. This
module turns texts into plain values (instants, numbers, addresses); what they mean together is `content`'s matter.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from lxml import etree

from syncline.connectors.exchange_web_services.wire import InvalidAnswer, M, Message, T, text_of
from syncline.connectors.exchange_web_services.wire_answers import id_of
from syncline.connectors.exchange_web_services.wire_requests import CLEAN_ID_NUMBER, KEY_NAME, PROPERTY_SET

_ITEM: Final = f"{T}CalendarItem"
_PREFIX: Final = len(T)
_EXTENDED: Final = "ExtendedProperty"
_FIELD: Final = f"{T}ExtendedFieldURI"
_MAILBOX: Final = f"{T}Mailbox"
_NAME: Final = f"{T}Name"
_ADDRESS: Final = f"{T}EmailAddress"
_ROUTING: Final = f"{T}RoutingType"
_VALUE: Final = f"{T}Value"
PEOPLE: Final[tuple[str, ...]] = ("Organizer", "RequiredAttendees", "OptionalAttendees", "Resources")
_RESPONSE: Final = f"{T}ResponseType"


@dataclass(frozen=True, slots=True)
class Person:
    """One mailbox named by an item. `smtp` is False for an Exchange distinguished name or a bare display name."""

    address: str
    name: str
    smtp: bool
    response: str = ""


@dataclass(frozen=True, slots=True)
class Moved:
    """A modified occurrence: the id that gives its content, and its original start."""

    ref: str
    original_start: datetime


@dataclass(frozen=True, slots=True)
class Item:
    """One calendar item: id, revision, its elements by local name, our properties, and its people by field."""

    ref: str
    revision: str
    fields: dict[str, etree._Element]
    properties: dict[str, str]
    listed: dict[str, tuple[Person, ...]]

    def text(self, name: str) -> str | None:
        """Return the text of a field, None if the server sent none."""
        element = self.fields.get(name)
        return None if element is None else element.text or ""

    def instant(self, name: str) -> datetime | None:
        """Return a field as an aware UTC instant to the second; raises InvalidAnswer for a broken one."""
        text = self.text(name)
        return instant(text) if text else None

    def people(self, name: str) -> tuple[Person, ...]:
        """Return the attendees of a list field, or the mailbox of a recipient field."""
        return self.listed.get(name, ())

    def moved(self) -> list[Moved]:
        """Return the modified occurrences of a master."""
        holder = self.fields.get("ModifiedOccurrences")
        return [] if holder is None else [_moved(entry) for entry in holder]

    def deleted(self) -> list[datetime]:
        """Return the original starts of the deleted occurrences of a master."""
        holder = self.fields.get("DeletedOccurrences")
        return [] if holder is None else [_start(entry, "Start") for entry in holder]

    def folder(self) -> str:
        """Return the id of the folder that holds the item, empty if the server did not say."""
        element = self.fields.get("ParentFolderId")
        return "" if element is None else element.get("Id") or ""

    def clean_id(self) -> bytes:
        """Return PidLidCleanGlobalObjectId, empty if the item has none."""
        try:
            return b64decode(self.properties.get("clean_id", ""))
        except binascii.Error as error:
            raise InvalidAnswer("a global object id is not base64") from error


def item_of(message: Message) -> Item | None:
    """Return the calendar item of a GetItem message, None if it holds another kind of item."""
    holder = message.element.find(f"{M}Items")
    element = None if holder is None else holder.find(_ITEM)
    return None if element is None else item(element)


def item(element: etree._Element) -> Item:
    """Return the view of one CalendarItem element."""
    fields: dict[str, etree._Element] = {}
    properties: dict[str, str] = {}
    for child in element:
        name = child.tag[_PREFIX:]
        if name == _EXTENDED:
            _keep_property(child, properties)
        else:
            fields[name] = child
    listed = {name: tuple(map(_person, fields[name].iter(_MAILBOX))) for name in PEOPLE if name in fields}
    ref, revision = id_of(element)
    return Item(ref, revision, fields, properties, listed)


@lru_cache(maxsize=4096)
def instant(text: str) -> datetime:
    """Return an xs:dateTime as an aware UTC instant to the second; one without offset is UTC, as Exchange sends it."""
    try:
        value = datetime.fromisoformat(text.strip())
        aware = value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidAnswer("a date and time is not valid") from error
    return aware.replace(microsecond=0)


def _keep_property(element: etree._Element, properties: dict[str, str]) -> None:
    """Recognise our two properties by what names them; the number may come back as hexadecimal."""
    told = {child.tag: child for child in element}
    field = told.get(_FIELD)
    value = told[_VALUE].text if _VALUE in told else None
    if field is None or value is None:
        return
    if field.get("PropertyName") == KEY_NAME and (field.get("PropertySetId") or "").lower() == PROPERTY_SET:
        properties["key"] = value
    elif field.get("PropertyId") in (str(CLEAN_ID_NUMBER), hex(CLEAN_ID_NUMBER)):
        properties["clean_id"] = value


def _person(mailbox: etree._Element) -> Person:
    # Children by one walk: four searches by name would cost more than all the rest of an item.
    told = {child.tag: child.text or "" for child in mailbox}
    address = told.get(_ADDRESS, "").strip()
    routing = told.get(_ROUTING) or "SMTP"
    response = next((mark.text or "" for mark in mailbox.itersiblings(_RESPONSE)), "")
    return Person(address, told.get(_NAME, ""), bool(address) and routing.upper() == "SMTP", response)


def _moved(entry: etree._Element) -> Moved:
    return Moved(id_of(entry)[0], _start(entry, "OriginalStart"))


def _start(entry: etree._Element, name: str) -> datetime:
    text = text_of(entry, f"{T}{name}")
    if not text:
        raise InvalidAnswer("an occurrence has no original start")
    return instant(text)
