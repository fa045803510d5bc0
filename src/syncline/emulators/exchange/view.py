"""An item as one client sees it: its content together with the ids, folder and owner that go into the answer.

A view of an occurrence is made from its master. Knows nothing of XML.
"""

from __future__ import annotations

from dataclasses import dataclass

from syncline.emulators.exchange.identifiers import change_key, folder_id, item_id, occurrence_id
from syncline.emulators.exchange.model import Item, Mailbox, Stored

SINGLE, MASTER, OCCURRENCE, EXCEPTION = "Single", "RecurringMaster", "Occurrence", "Exception"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a renderer may know; `body_type` is Best, HTML or Text as the shape asks."""

    stored: Stored
    item: Item
    type: str
    mailbox: Mailbox
    body_type: str = "Best"

    @property
    def id(self) -> str:
        """Return the ItemId."""
        if self.type in (OCCURRENCE, EXCEPTION):
            assert self.item.original_start is not None
            return occurrence_id(self.stored.mailbox, self.stored.row, self.item.original_start)
        return item_id(self.stored.mailbox, self.stored.row)

    @property
    def change_key(self) -> str:
        """Return the ChangeKey; occurrences have their master's."""
        return change_key(self.stored.change)

    @property
    def folder_id(self) -> str:
        """Return the id of the folder that the item lies in."""
        return folder_id(self.stored.mailbox, self.stored.folder)


def view_of(stored: Stored, mailbox: Mailbox, *, body_type: str = "Best") -> View:
    """Return the view of a stored single, master or mail."""
    kind = MASTER if stored.item.recurrence else SINGLE
    return View(stored=stored, item=stored.item, type=kind, mailbox=mailbox, body_type=body_type)


def occurrence_view(stored: Stored, mailbox: Mailbox, occurrence: Item, *, body_type: str = "Best") -> View:
    """Return the view of one occurrence of the series in `stored`; an exception is one that the master lists."""
    starts = {e.original_start for e in stored.item.exceptions}
    kind = EXCEPTION if occurrence.original_start in starts else OCCURRENCE
    return View(stored=stored, item=occurrence, type=kind, mailbox=mailbox, body_type=body_type)
