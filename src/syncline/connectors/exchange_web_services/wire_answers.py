"""Readers of everything Exchange answers but item contents: folders, changes, found ids, categories, names.

Elements in, frozen values out. This module must not know the network or the catalogue.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from dataclasses import dataclass
from typing import Final

from lxml import etree

from syncline.connectors.exchange_web_services.wire import InvalidAnswer, M, Message, T, parse, text_of

CALENDAR_CLASS: Final = "IPF.Appointment"
_TRUE: Final = frozenset({"true", "1"})
_CHANGED: Final = (f"{T}Create", f"{T}Update")


@dataclass(frozen=True, slots=True)
class FolderRow:
    """One folder: id, display name, and whether it holds calendar items."""

    ref: str
    name: str
    calendar: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderPage:
    """One page of FindFolder; `next_offset` is None on the last one."""

    folders: tuple[FolderRow, ...]
    next_offset: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """One change of SyncFolderItems; a removal has neither revision nor categories."""

    ref: str
    revision: str = ""
    categories: tuple[str, ...] = ()
    gone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePage:
    """One page of SyncFolderItems: `state` continues it, `last` says that nothing waits."""

    rows: tuple[ChangeRow, ...]
    state: str
    last: bool
    changes_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPage:
    """One page of FindItem: ids of calendar items; `next_offset` is None on the last one."""

    refs: tuple[str, ...]
    next_offset: int | None


@dataclass(frozen=True, slots=True)
class CategoryRow:
    """One entry of the category list."""

    guid: str
    name: str


def truth(text: str | None) -> bool:
    """Return an xs:boolean; a missing one is false."""
    return text is not None and text.strip() in _TRUE


def id_of(element: etree._Element, name: str = f"{T}ItemId") -> tuple[str, str]:
    """Return Id and ChangeKey of the id element below; raises InvalidAnswer if there is none."""
    found = element.find(name)
    ref = None if found is None else found.get("Id")
    if found is None or not ref:
        raise InvalidAnswer("an item or a folder has no id")
    return ref, found.get("ChangeKey") or ""


def categories_of(element: etree._Element | None) -> tuple[str, ...]:
    """Return the strings of a Categories element, empty and repeated ones left out."""
    if element is None:
        return ()
    return tuple(dict.fromkeys(child.text for child in element if child.text))


def folder(message: Message) -> FolderRow:
    """Return the folder of a GetFolder message."""
    holder = message.element.find(f"{M}Folders")
    if holder is None or not len(holder):
        raise InvalidAnswer("GetFolder gave no folder")
    return _folder(holder[0])


def folder_page(message: Message) -> FolderPage:
    """Return one page of FindFolder."""
    root = _root(message)
    holder = root.find(f"{T}Folders")
    rows = () if holder is None else tuple(_folder(child) for child in holder)
    return FolderPage(folders=rows, next_offset=_next_offset(root, len(rows)))


def change_page(message: Message) -> ChangePage:
    """Return one page of SyncFolderItems; only calendar items, and no changes of the read mark."""
    state = text_of(message.element, f"{M}SyncState")
    if not state:
        raise InvalidAnswer("SyncFolderItems gave no SyncState")
    holder = message.element.find(f"{M}Changes")
    changes = [] if holder is None else list(holder)
    rows = tuple(row for change in changes if (row := _change(change)) is not None)
    last = truth(text_of(message.element, f"{M}IncludesLastItemInRange"))
    return ChangePage(rows=rows, state=state, last=last, changes_count=len(changes))


def found_page(message: Message) -> FoundPage:
    """Return one page of FindItem."""
    root = _root(message)
    holder = root.find(f"{T}Items")
    items = [] if holder is None else list(holder)
    refs = tuple(id_of(item)[0] for item in items if item.tag == f"{T}CalendarItem")
    return FoundPage(refs=refs, next_offset=_next_offset(root, len(items)))


def category_list(message: Message) -> tuple[CategoryRow, ...]:
    """Return the entries of the category list: an XML document within XmlData, base64."""
    configuration = message.element.find(f"{M}UserConfiguration")
    data = None if configuration is None else text_of(configuration, f"{T}XmlData")
    if not data:
        return ()
    try:
        document = parse(b64decode(data))
    except binascii.Error as error:
        raise InvalidAnswer("the category list is not base64") from error
    return tuple(
        CategoryRow(guid, name)
        for entry in document.iter("{*}category")
        if (guid := entry.get("guid")) and (name := entry.get("name"))
    )


def resolved_addresses(message: Message) -> tuple[str, ...]:
    """Return the SMTP addresses of a ResolveNames message, lower case, in the server's order."""
    addresses = []
    for mailbox in message.element.iter(f"{T}Mailbox"):
        address = text_of(mailbox, f"{T}EmailAddress")
        if address and (text_of(mailbox, f"{T}RoutingType") or "SMTP").upper() == "SMTP":
            addresses.append(address.strip().lower())
    return tuple(addresses)


def _folder(element: etree._Element) -> FolderRow:
    kind = text_of(element, f"{T}FolderClass")
    calendar = element.tag == f"{T}CalendarFolder" if kind is None else kind.startswith(CALENDAR_CLASS)
    return FolderRow(id_of(element, f"{T}FolderId")[0], text_of(element, f"{T}DisplayName") or "", calendar)


def _change(change: etree._Element) -> ChangeRow | None:
    if change.tag == f"{T}Delete":
        return ChangeRow(ref=id_of(change)[0], gone=True)
    item = change.find(f"{T}CalendarItem") if change.tag in _CHANGED else None
    if item is None:
        return None
    ref, revision = id_of(item)
    return ChangeRow(ref=ref, revision=revision, categories=categories_of(item.find(f"{T}Categories")))


def _root(message: Message) -> etree._Element:
    root = message.element.find(f"{M}RootFolder")
    if root is None:
        raise InvalidAnswer("the answer has no RootFolder")
    return root


def _next_offset(root: etree._Element, count: int) -> int | None:
    """Return where the next page begins; a page without rows ends the walk, whatever the server claims."""
    if count == 0 or truth(root.get("IncludesLastItemInRange")):
        return None
    offset = root.get("IndexedPagingOffset") or ""
    return int(offset) if offset.isdecimal() and int(offset) > 0 else None
