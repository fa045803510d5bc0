"""Files on items: CreateAttachment, GetAttachment, DeleteAttachment.

A file is a part of its item: making or deleting one gives the item another ChangeKey and mails nobody. Files of
exceptions, attached items and links are refused. Source: the pages of the three operations in the EWS reference.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace

from lxml import etree

from syncline.emulators.exchange import updates
from syncline.emulators.exchange.call import Call
from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.files import received
from syncline.emulators.exchange.identifiers import attachment_id, change_key, item_id, read_attachment_id
from syncline.emulators.exchange.model import Attachment, Stored
from syncline.emulators.exchange.operations_items import each, target, writing
from syncline.emulators.exchange.wire import M, T, children
from syncline.emulators.exchange.wire_fields import attachment_xml

NO_FILES = "<m:Attachments/>"


def create_attachment(call: Call, request: etree._Element) -> str:
    """Attach files to one item; a ChangeKey that is given must be the item's at the start."""
    parent = request.find(f"{M}ParentItemId")
    if parent is None:
        raise EwsError("ErrorInvalidIdMalformed")
    given = parent.get("ChangeKey")
    checked = False

    def one(element: etree._Element) -> str:
        nonlocal checked
        with call.store.unit():
            stored, occurrence = target(call, _item_id(parent))
            if occurrence is not None:
                raise call.refuse("Files of one date of a series.")
            if given and not checked:
                updates.check_key(stored, given, "NeverOverwrite")
            checked = True
            attachment = received(call, element)
            modified = replace(stored.item, attachments=(*stored.item.attachments, attachment))
            fresh = call.store.replace(stored, replace(modified, modified=call.clock.now()))
        ident = attachment_id(fresh.mailbox, fresh.row, attachment.blob)
        return f"<m:Attachments>{attachment_xml(ident, attachment, root=_root(fresh))}</m:Attachments>"

    return each("CreateAttachment", children(request, f"{M}Attachments"), writing(call, one), NO_FILES)


def get_attachment(call: Call, request: etree._Element) -> str:
    """Return files with their content."""

    def one(element: etree._Element) -> str:
        stored, attachment = _found(call, element)
        if call.spoils(stored.item.subject):
            raise EwsError("ErrorItemCorrupt")
        content = b64encode(call.store.blob(attachment.blob)).decode()
        ident = attachment_id(stored.mailbox, stored.row, attachment.blob)
        return f"<m:Attachments>{attachment_xml(ident, attachment, content)}</m:Attachments>"

    return each("GetAttachment", children(request, f"{M}AttachmentIds"), one, NO_FILES)


def delete_attachment(call: Call, request: etree._Element) -> str:
    """Take files off their items for good."""

    def one(element: etree._Element) -> str:
        with call.store.unit():
            stored, attachment = _found(call, element)
            left = tuple(each for each in stored.item.attachments if each.blob != attachment.blob)
            fresh = call.store.replace(stored, replace(stored.item, attachments=left, modified=call.clock.now()))
        return f"<m:RootItemId{_root(fresh)}/>"

    return each("DeleteAttachment", children(request, f"{M}AttachmentIds"), writing(call, one))


def _item_id(parent: etree._Element) -> etree._Element:
    """Return a ParentItemId as the ItemId that it is in all but name."""
    return etree.Element(f"{T}ItemId", Id=parent.get("Id", ""))


def _root(stored: Stored) -> str:
    ident, key = item_id(stored.mailbox, stored.row), change_key(stored.change)
    return f' RootItemId="{ident}" RootItemChangeKey="{key}"'


def _found(call: Call, element: etree._Element) -> tuple[Stored, Attachment]:
    ident, blob = read_attachment_id(element.get("Id", ""))
    stored, _ = call.stored(ident)
    for attachment in stored.item.attachments:
        if attachment.blob == blob:
            return stored, attachment
    raise EwsError("ErrorInvalidAttachmentId")
