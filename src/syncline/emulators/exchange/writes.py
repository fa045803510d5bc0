"""What CreateItem, UpdateItem and DeleteItem do to the store, with the vendor's refusals.

Who is mailed is decided in `meetings`. Knows the readers of elements, nothing of response messages.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lxml import etree

from syncline.emulators.exchange.call import Call, person_of
from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.identifiers import new_uid
from syncline.emulators.exchange.model import Folder, Item, Mailbox, Stored
from syncline.emulators.exchange.wire import local
from syncline.emulators.exchange.wire_read import finish, read_item


@dataclass(frozen=True, slots=True, kw_only=True)
class Modes:
    """The sending attributes of a write, None when the client left them out."""

    invitations: str | None = None
    invitations_or_cancellations: str | None = None
    cancellations: str | None = None
    disposition: str | None = None


def create(call: Call, folder: Folder | None, element: etree._Element, modes: Modes) -> list[Stored]:
    """Create one item and return it; raises ErrorSendMeetingInvitationsRequired and what reading refuses."""
    if local(element) == "CalendarItem":
        return [_create_calendar_item(call, folder, element, modes)]
    raise call.refuse(f"{local(element)} can not be created.")


def _create_calendar_item(call: Call, folder: Folder | None, element: etree._Element, modes: Modes) -> Stored:
    if modes.invitations is None:
        raise EwsError("ErrorSendMeetingInvitationsRequired")
    target = folder or call.store.distinguished(call.acting().row, "calendar")
    assert target is not None
    owner = call.owner(target.mailbox)
    item = finish(read_item(element, blank(call, owner), call.zone))
    return call.store.add(target, replace(item, uid=item.uid or new_uid()))


def blank(call: Call, owner: Mailbox) -> Item:
    """Return the calendar item that a new one starts from."""
    now = call.clock.now()
    start = now.replace(minute=30 if now.minute >= 30 else 0, second=0)
    return Item(
        created=now, modified=now, start=start, end=start, organizer=person_of(owner), my_response="Organizer"
    )
