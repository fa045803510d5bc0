"""Items: GetItem, CreateItem, UpdateItem, DeleteItem, MoveItem, CopyItem as requests and response messages.

What a write does is in `writes` and `meetings`; here is only the outer form of the operations.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from lxml import etree

from syncline.emulators.exchange import series, updates, writes
from syncline.emulators.exchange.call import Call
from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.model import Folder, Item, Stored
from syncline.emulators.exchange.shapes import read_shape
from syncline.emulators.exchange.view import View, occurrence_view, view_of
from syncline.emulators.exchange.wire import M, T, children, failure, local, response, success

NO_ITEMS = "<m:Items/>"


def get_item(call: Call, request: etree._Element) -> str:
    """Return items by id, each in its own response message."""
    shape = read_shape(request.find(f"{M}ItemShape"), summary=False)

    def one(element: etree._Element) -> str:
        stored, occurrence = target(call, element)
        view = _view(call, stored, occurrence, shape.body_type)
        if call.spoils(view.item.subject):
            raise EwsError("ErrorItemCorrupt")
        return f"<m:Items>{call.rendered(view, shape)}</m:Items>"

    return each("GetItem", children(request, f"{M}ItemIds"), one, NO_ITEMS)


def each(
    operation: str, elements: list[etree._Element], one: Callable[[etree._Element], str], otherwise: str = ""
) -> str:
    """Return a response with one message per element; a refusal fails only its own message."""
    messages = []
    for element in elements:
        try:
            content = one(element)
            messages.append(success(operation, content))
        except EwsError as error:
            if error.fault:
                raise
            messages.append(failure(operation, error, otherwise))
    return response(operation, messages)


def target(call: Call, element: etree._Element) -> tuple[Stored, Item | None]:
    """Return what an ItemId, OccurrenceItemId or RecurringMasterItemId names: the row, and the occurrence if one."""
    name = local(element)
    if name == "OccurrenceItemId":
        stored, original = call.stored(element.get("RecurringMasterId", ""))
        if original is not None or stored.item.recurrence is None:
            raise EwsError("ErrorCalendarCannotUseIdForOccurrenceId")
        return stored, series.by_index(stored.item, int(element.get("InstanceIndex", "0")))
    if name == "RecurringMasterItemId":
        stored, original = call.stored(element.get("OccurrenceId", ""))
        if original is None:
            raise EwsError("ErrorCalendarCannotUseIdForRecurringMasterId")
        return stored, None
    if name != "ItemId":
        raise call.refuse(f"{name} as an item identifier.")
    stored, original = call.stored(element.get("Id", ""))
    if original is None:
        return stored, None
    if stored.item.recurrence is None:
        raise EwsError("ErrorItemNotFound")
    return stored, series.by_original_start(stored.item, original)


def _view(call: Call, stored: Stored, occurrence: Item | None, body_type: str) -> View:
    owner = call.owner(stored.mailbox)
    if occurrence is None:
        return view_of(stored, owner, body_type=body_type)
    return occurrence_view(stored, owner, occurrence, body_type=body_type)


def ids_xml(call: Call, stored: Stored, occurrence: Item | None = None) -> str:
    """Return an item of which only the id is told, as answers to writes carry it."""
    view = _view(call, stored, occurrence, "Best")
    kind = stored.item.kind
    return f'<m:Items><t:{kind}><t:ItemId Id="{view.id}" ChangeKey="{view.change_key}"/></t:{kind}></m:Items>'


def create_item(call: Call, request: etree._Element) -> str:
    """Create items, or answer meetings (AcceptItem and its like)."""
    into = children(request, f"{M}SavedItemFolderId")
    modes = writes.Modes(
        invitations=request.get("SendMeetingInvitations"), disposition=request.get("MessageDisposition")
    )

    def one(element: etree._Element) -> str:
        folder = call.folder(into[0]) if into else None
        with call.store.unit():
            stored = writes.create(call, folder, element, modes)
        return ids_xml(call, stored) if stored else NO_ITEMS

    return each("CreateItem", children(request, f"{M}Items"), writing(call, one), NO_ITEMS)


def writing(call: Call, one: Callable[[etree._Element], str]) -> Callable[[etree._Element], str]:
    """Return the function with the faults *denied* and *broken* in front of it: nothing is written then."""

    def guarded(element: etree._Element) -> str:
        if call.denied:
            raise EwsError("ErrorAccessDenied")
        if call.spoils():
            raise EwsError("ErrorInternalServerError")
        return one(element)

    return guarded


def update_item(call: Call, request: etree._Element) -> str:
    """Change items; each is guarded by its ChangeKey as ConflictResolution says."""
    resolution = request.get("ConflictResolution", "AutoResolve")
    mode = request.get("SendMeetingInvitationsOrCancellations")

    def one(element: etree._Element) -> str:
        ident, changes = element[0], children(element, f"{T}Updates")
        with call.store.unit():
            stored, occurrence = target(call, ident)
            updates.check_key(stored, ident.get("ChangeKey"), resolution)
            original = occurrence.original_start if occurrence else None
            fresh = updates.update(call, stored, original, changes, mode)
            now = series.by_original_start(fresh.item, original) if original is not None else None
        return ids_xml(call, fresh, now) + "<m:ConflictResults><t:Count>0</t:Count></m:ConflictResults>"

    return each("UpdateItem", children(request, f"{M}ItemChanges"), writing(call, one), NO_ITEMS)


def delete_item(call: Call, request: etree._Element) -> str:
    """Delete items or occurrences; the deletion is not guarded by the ChangeKey."""
    kind, mode = request.get("DeleteType", ""), request.get("SendMeetingCancellations")

    def one(element: etree._Element) -> str:
        with call.store.unit():
            stored, occurrence = target(call, element)
            writes.delete(call, stored, occurrence.original_start if occurrence else None, kind, mode)
        return ""

    return each("DeleteItem", children(request, f"{M}ItemIds"), writing(call, one))


def move_item(call: Call, request: etree._Element) -> str:
    """Move items to another folder; they get other ids."""
    return _relocate(call, request, "MoveItem", writes.move)


def copy_item(call: Call, request: etree._Element) -> str:
    """Copy items to a folder, extended properties included."""
    return _relocate(call, request, "CopyItem", writes.copy)


def _relocate(
    call: Call,
    request: etree._Element,
    operation: str,
    act: Callable[[Call, Stored, datetime | None, Folder], Stored],
) -> str:
    into = children(request, f"{M}ToFolderId")[0]

    def one(element: etree._Element) -> str:
        folder = call.folder(into)
        with call.store.unit():
            stored, occurrence = target(call, element)
            fresh = act(call, stored, occurrence.original_start if occurrence else None, folder)
        return ids_xml(call, fresh)

    return each(operation, children(request, f"{M}ItemIds"), writing(call, one), NO_ITEMS)
