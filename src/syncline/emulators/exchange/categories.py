"""The master category list of a mailbox, as Outlook keeps it: names, colors, and the document that holds them.

The XML is that of [MS-OXOCFG] 2.2.5.2. Knows the store; nothing of operations.
"""

from __future__ import annotations

import uuid

import msgspec

from syncline.emulators.exchange.store import Store
from syncline.emulators.exchange.wire import escape

COLORS = {"Red Category": 0, "Orange Category": 1, "Yellow Category": 3, "Green Category": 4, "Blue Category": 7,
          "Purple Category": 8}  # fmt: skip
_NO_COLOR = -1
_SPACE = "CategoryList.xsd"


def category_kind(mailbox: int) -> str:
    """Return under which kind of note the added categories of a mailbox are kept."""
    return f"category:{mailbox}"


def category_names(store: Store, mailbox: int) -> dict[str, int]:
    """Return a mailbox's categories with their colors: Outlook's six, and what was added."""
    added = (msgspec.json.decode(text, type=str) for _, text in store.notes(category_kind(mailbox)))
    return COLORS | dict.fromkeys(added, _NO_COLOR)


def add_category(store: Store, mailbox: int, name: str) -> None:
    """Put a category into a mailbox's list unless it is there, as if its owner had made it."""
    if name not in category_names(store, mailbox):
        store.put_note(category_kind(mailbox), msgspec.json.encode(name).decode())


def category_list(names: dict[str, int]) -> bytes:
    """Return the category list document for names and colors (-1 is no color)."""
    rows = "".join(
        f'<category name="{escape(name)}" color="{color}" keyboardShortcut="0" usageCount="0"'
        ' lastTimeUsedNotes="1601-01-01T00:00:00.000" lastTimeUsedJournal="1601-01-01T00:00:00.000"'
        ' lastTimeUsedContacts="1601-01-01T00:00:00.000" lastTimeUsedTasks="1601-01-01T00:00:00.000"'
        ' lastTimeUsedCalendar="1601-01-01T00:00:00.000" lastTimeUsedMail="1601-01-01T00:00:00.000"'
        f' lastTimeUsed="1601-01-01T00:00:00.000" lastSessionUsed="0" guid="{{{_guid(name)}}}"/>'
        for name, color in names.items()
    )
    default = escape(next(iter(names), ""))
    return (
        f'<?xml version="1.0"?><categories default="{default}" lastSavedSession="0"'
        f' lastSavedTime="2020-01-01T00:00:00.000" xmlns="{_SPACE}">{rows}</categories>'
    ).encode()


def _guid(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, name)).upper()
