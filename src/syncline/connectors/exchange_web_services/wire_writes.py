"""Builders of the writing operations: CreateItem, UpdateItem and DeleteItem of calendar items, always with a mode.

Every change names the ChangeKey that it was decided on (NeverOverwrite refuses a stale one) and whom it mails; what is
deleted goes to the deleted items. Contents come as XML from `wire_fields`. This module must not know how answers look,
nor the network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from syncline.connectors.exchange_web_services.wire import Request
from syncline.connectors.exchange_web_services.wire_fields import Part
from syncline.connectors.exchange_web_services.wire_requests import item_id
from syncline.core.answering_by_category import Categorizing
from syncline.core.outgoing import Mailing

# A mail in the organizer's name lies in his Sent Items, as if he had sent it.
_SENDING: Final[Mapping[Mailing, str]] = {
    Mailing.NOBODY: "SendToNone",
    Mailing.CHANGED: "SendToChangedAndSaveCopy",
    Mailing.EVERYBODY: "SendToAllAndSaveCopy",
}
_FIELD = '<t:FieldURI FieldURI="item:Categories"/>'


@dataclass(frozen=True, slots=True)
class Change:
    """One ItemChange: the item or date, the ChangeKey it was decided on, and the fields to set or to clear."""

    ref: str
    revision: str
    parts: tuple[Part, ...]


def create_items(folder: str, items: Sequence[str], mailing: Mailing) -> Request:
    """Build CreateItem of calendar items (the XML of their fields) in one folder; a new item has no half measures."""
    mode = _SENDING[Mailing.NOBODY if mailing is Mailing.NOBODY else Mailing.EVERYBODY]
    inner = "".join(f"<t:CalendarItem>{item}</t:CalendarItem>" for item in items)
    return Request(
        "CreateItem",
        f'<m:CreateItem SendMeetingInvitations="{mode}"><m:SavedItemFolderId><t:FolderId Id={quoteattr(folder)}/>'
        f"</m:SavedItemFolderId><m:Items>{inner}</m:Items></m:CreateItem>",
    )


def update_items(changes: Sequence[Change], mailing: Mailing) -> Request:
    """Build UpdateItem of items or dates, each guarded by its ChangeKey."""
    inner = "".join(
        f"<t:ItemChange>{item_id(change.ref, change.revision)}<t:Updates>"
        f"{''.join(map(_field, change.parts))}</t:Updates></t:ItemChange>"
        for change in changes
    )
    return Request(
        "UpdateItem",
        '<m:UpdateItem MessageDisposition="SaveOnly" ConflictResolution="NeverOverwrite" '
        f'SendMeetingInvitationsOrCancellations="{_SENDING[mailing]}"><m:ItemChanges>{inner}</m:ItemChanges>'
        "</m:UpdateItem>",
    )


def delete_items(items: Sequence[tuple[str, str]], mailing: Mailing) -> Request:
    """Build DeleteItem of items or dates by id and ChangeKey; they go to the deleted items."""
    mode = _SENDING[Mailing.NOBODY if mailing is Mailing.NOBODY else Mailing.EVERYBODY]
    ids = "".join(item_id(ref, revision) for ref, revision in items)
    return Request(
        "DeleteItem",
        f'<m:DeleteItem DeleteType="MoveToDeletedItems" SendMeetingCancellations="{mode}"><m:ItemIds>{ids}'
        "</m:ItemIds></m:DeleteItem>",
    )


def _field(part: Part) -> str:
    if not part.xml:
        return f"<t:DeleteItemField>{part.path}</t:DeleteItemField>"
    return f"<t:SetItemField>{part.path}<t:CalendarItem>{part.xml}</t:CalendarItem></t:SetItemField>"


def update_categories(changes: Sequence[Categorizing]) -> Request:
    """Build UpdateItem that gives each item the categories it should carry afterwards."""
    items = "".join(
        f"<t:ItemChange><t:ItemId Id={quoteattr(change.ref)} ChangeKey={quoteattr(change.revision)}/>"
        f"<t:Updates>{_update(change.after)}</t:Updates></t:ItemChange>"
        for change in changes
    )
    return Request(
        "UpdateItem",
        '<m:UpdateItem MessageDisposition="SaveOnly" ConflictResolution="NeverOverwrite" '
        f'SendMeetingInvitationsOrCancellations="SendToNone"><m:ItemChanges>{items}</m:ItemChanges></m:UpdateItem>',
    )


def _update(names: Sequence[str]) -> str:
    if not names:
        return f"<t:DeleteItemField>{_FIELD}</t:DeleteItemField>"
    strings = "".join(f"<t:String>{escape(name)}</t:String>" for name in names)
    return (
        f"<t:SetItemField>{_FIELD}<t:CalendarItem><t:Categories>{strings}</t:Categories></t:CalendarItem>"
        "</t:SetItemField>"
    )
