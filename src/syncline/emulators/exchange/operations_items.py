"""Items: GetItem, CreateItem, UpdateItem, DeleteItem, MoveItem, CopyItem as requests and response messages.

What a write does is in `writes` and `meetings`; here is only the outer form of the operations.
"""

from __future__ import annotations

from collections.abc import Callable

from lxml import etree

from syncline.emulators.exchange import series, writes
from syncline.emulators.exchange.call import Call
from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.model import Stored
from syncline.emulators.exchange.shapes import read_shape
from syncline.emulators.exchange.view import View, occurrence_view, view_of
from syncline.emulators.exchange.wire import M, children, failure, local, response, success

NO_ITEMS = "<m:Items/>"


def get_item(call: Call, request: etree._Element) -> str:
    """Return items by id, each in its own response message."""
    shape = read_shape(request.find(f"{M}ItemShape"), summary=False)

    def one(element: etree._Element) -> str:
        stored, occurrence = target(call, element)
        view = _view(call, stored, occurrence, shape.body_type)
        if call.broken > 0:
            call.broken -= 1
            raise EwsError("ErrorItemCorrupt")
        return f"<m:Items>{call.renderer.render(view, shape)}</m:Items>"

    return each("GetItem", children(request, f"{M}ItemIds"), one, NO_ITEMS)


def each(
    operation: str, elements: list[etree._Element], one: Callable[[etree._Element], str], otherwise: str = ""
) -> str:
    """Return a response with one message per element; a refusal fails only its own message."""
    messages = []
    for element in elements:
        try:
            messages.append(success(operation, one(element)))
        except EwsError as error:
            if error.fault:
                raise
            messages.append(failure(operation, error, otherwise))
    return response(operation, messages)


def target(call: Call, element: etree._Element) -> tuple[Stored, series.Item | None]:
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


def _view(call: Call, stored: Stored, occurrence: series.Item | None, body_type: str) -> View:
    owner = call.owner(stored.mailbox)
    if occurrence is None:
        return view_of(stored, owner, body_type=body_type)
    return occurrence_view(stored, owner, occurrence, body_type=body_type)


def ids_xml(call: Call, stored: Stored, occurrence: series.Item | None = None) -> str:
    """Return an item of which only the id is told, as answers to writes carry it."""
    view = _view(call, stored, occurrence, "Best")
    kind = stored.item.kind
    return f'<m:Items><t:{kind}><t:ItemId Id="{view.id}" ChangeKey="{view.change_key}"/></t:{kind}></m:Items>'


def create_item(call: Call, request: etree._Element) -> str:
    """Create items, or answer meetings (AcceptItem and its like)."""
    into = children(request, f"{M}SavedItemFolderId")
    folder = call.folder(into[0]) if into else None
    modes = writes.Modes(
        invitations=request.get("SendMeetingInvitations"), disposition=request.get("MessageDisposition")
    )

    def one(element: etree._Element) -> str:
        with call.store.unit():
            found = writes.create(call, folder, element, modes)
        return "".join(ids_xml(call, stored) for stored in found) or NO_ITEMS

    return each("CreateItem", children(request, f"{M}Items"), one, NO_ITEMS)
