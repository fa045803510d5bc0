"""What CreateItem, DeleteItem and MoveItem do to the store, with the vendor's refusals.

Updates are in `updates`, who is mailed is in `meetings`. Knows the readers of elements, nothing of response messages.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from lxml import etree

from syncline.emulators.exchange import meetings, series
from syncline.emulators.exchange.call import Call, person_of
from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.files import taken_out
from syncline.emulators.exchange.identifiers import new_uid
from syncline.emulators.exchange.model import Folder, Item, Mailbox, Stored
from syncline.emulators.exchange.wire import T, local
from syncline.emulators.exchange.wire_read import finish, read_item

DELETE_TYPES = {"HardDelete": "", "SoftDelete": "recoverableitemsdeletions", "MoveToDeletedItems": "deleteditems"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Modes:
    """The sending attributes of CreateItem, None when the client left them out."""

    invitations: str | None = None
    disposition: str | None = None


def create(call: Call, folder: Folder | None, element: etree._Element, modes: Modes) -> Stored | None:
    """Create an item and return it (None when a mail was sent and not kept), or carry out a response object."""
    kind = local(element)
    if kind == "CalendarItem":
        return _create_calendar_item(call, folder, element, modes)
    if kind == "Message":
        return _create_message(call, folder, element, modes)
    if kind in meetings.ANSWERS or kind == "CancelCalendarItem":
        reference = element.find(f"{T}ReferenceItemId")
        if reference is None:
            raise EwsError("ErrorInvalidIdMalformed")
        stored, original = call.stored(reference.get("Id", ""))
        mails = (modes.disposition or "SaveOnly") != "SaveOnly"
        if kind == "CancelCalendarItem":
            return _cancel(call, stored, original)
        return meetings.answer(call, stored, original, kind, mails=mails)
    raise call.refuse(f"{kind} can not be created.")


def _create_calendar_item(call: Call, folder: Folder | None, element: etree._Element, modes: Modes) -> Stored:
    if modes.invitations is None:
        raise EwsError("ErrorSendMeetingInvitationsRequired")
    target = folder or call.store.distinguished(call.acting().row, "calendar")
    assert target is not None
    if not call.may_open(target.mailbox):
        raise EwsError("ErrorAccessDenied")
    owner = call.owner(target.mailbox)
    base = replace(blank(call, owner), attachments=taken_out(call, element))
    item = finish(read_item(element, base, call.zone))
    stored = call.store.add(target, replace(item, uid=item.uid or new_uid()))
    return meetings.after_create(call, stored, modes.invitations)


def blank(call: Call, owner: Mailbox) -> Item:
    """Return the calendar item that a new one starts from: half an hour from now, owned by the mailbox."""
    now = call.clock.now()
    start = now.replace(minute=30 if now.minute >= 30 else 0, second=0)
    return Item(created=now, modified=now, start=start, end=start, organizer=person_of(owner), my_response="Organizer")


def _create_message(call: Call, folder: Folder | None, element: etree._Element, modes: Modes) -> Stored | None:
    """Save a mail, or send it: to mailboxes of this server it arrives, elsewhere it is only kept in the outbox."""
    disposition = modes.disposition or "SaveOnly"
    mailbox = call.owner(folder.mailbox) if folder else call.acting()
    now = call.clock.now()
    base = Item(
        kind="Message", item_class="IPM.Note", created=now, modified=now, sender=person_of(mailbox), reminder_set=False,
        attachments=taken_out(call, element),
    )  # fmt: skip
    item = read_item(element, base, call.zone)
    if disposition == "SaveOnly":
        target = folder or call.store.distinguished(mailbox.row, "drafts")
        assert target is not None
        return call.store.add(target, replace(item, is_draft=True))
    for person in item.recipients:
        meetings.send_mail(call, item, person)
    if disposition == "SendAndSaveCopy":
        sent = folder or call.store.distinguished(mailbox.row, "sentitems")
        assert sent is not None
        call.store.add(sent, replace(item, is_read=True))
    return None


def _cancel(call: Call, stored: Stored, original: datetime | None) -> Stored:
    """Cancel a meeting as its organizer: everybody is told, and the item goes to Deleted Items."""
    if stored.item.my_response != "Organizer":
        raise EwsError("ErrorAccessDenied", "Only the organizer can cancel a meeting.")
    moved = delete(call, stored, original, "MoveToDeletedItems", "SendToAllAndSaveCopy")
    return moved or stored


def delete(
    call: Call, stored: Stored, original: datetime | None, delete_type: str, cancellations: str | None
) -> Stored | None:
    """Delete an item or one occurrence and return where it went, if anywhere."""
    if stored.item.is_calendar and cancellations is None:
        raise EwsError("ErrorSendMeetingCancellationsRequired")
    if original is not None:
        return _delete_occurrence(call, stored, original, cancellations or "")
    if stored.item.is_calendar:
        meetings.after_delete(call, stored, cancellations or "")
    return take_away(call, stored, delete_type)


def take_away(call: Call, stored: Stored, delete_type: str) -> Stored | None:
    """Remove an item as a kind of deletion says and return it where it went, if anywhere."""
    if delete_type not in DELETE_TYPES:
        raise EwsError("ErrorSchemaValidation", "DeleteType is unknown.", fault=True)
    name = DELETE_TYPES[delete_type]
    folder = call.store.distinguished(stored.mailbox, name) if name else None
    if folder is None or folder.row == stored.folder:
        call.store.remove(stored)
        return None
    return call.store.move(stored, folder)


def _delete_occurrence(call: Call, stored: Stored, original: datetime, cancellations: str) -> Stored | None:
    """Delete one occurrence; the last one that is left takes the series with it."""
    before = stored.item
    after = replace(series.without_occurrence(before, original), modified=call.clock.now())
    if series.first_and_last(after)[0] is None:
        meetings.after_delete(call, stored, cancellations)
        call.store.remove(stored)
        return None
    return meetings.after_occurrence_delete(call, stored, after, original, cancellations)


def move(call: Call, stored: Stored, original: datetime | None, folder: Folder) -> Stored:
    """Move an item to another folder of a mailbox that the caller may open; its id changes."""
    if original is not None:
        raise EwsError("ErrorCalendarCannotMoveOrCopyOccurrence")
    return call.store.move(stored, folder)


def copy(call: Call, stored: Stored, original: datetime | None, folder: Folder) -> Stored:
    """Copy an item; extended properties come along, and a meeting becomes an appointment of the copier."""
    if original is not None:
        raise EwsError("ErrorCalendarCannotMoveOrCopyOccurrence")
    return call.store.add(folder, stored.item)
