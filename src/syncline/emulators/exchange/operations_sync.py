"""SyncFolderItems: changes of one folder since a state, newest first, at most 512 a call, summaries only."""

from __future__ import annotations

from lxml import etree

from syncline.emulators.exchange.call import Call
from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.identifiers import SyncState, item_id, read_sync_state
from syncline.emulators.exchange.model import Folder, Removed, Stored
from syncline.emulators.exchange.shapes import Shape, read_shape
from syncline.emulators.exchange.view import view_of
from syncline.emulators.exchange.wire import M, children, response, success

CHANGES_MAX = 512


def sync_folder_items(call: Call, request: etree._Element) -> str:
    """Return what changed in a folder since a state; the same state again gives the same changes again."""
    shape = read_shape(request.find(f"{M}ItemShape"), summary=True)
    folder = call.folder(children(request, f"{M}SyncFolderId")[0])
    limit = int(request.findtext(f"{M}MaxChangesReturned") or 0)
    if not 1 <= limit <= CHANGES_MAX:
        raise EwsError("ErrorInvalidRequest", f"MaxChangesReturned must be 1 to {CHANGES_MAX}.")
    state = _state(call, folder, request.findtext(f"{M}SyncState"))
    ignored = frozenset(element.get("Id", "") for element in children(request, f"{M}Ignore"))
    return response("SyncFolderItems", [success("SyncFolderItems", _changes(call, state, limit, shape, ignored))])


def _state(call: Call, folder: Folder, text: str | None) -> SyncState:
    if not text:
        return SyncState(call.store.epoch(), folder.row)
    state = read_sync_state(text)
    if state.folder != folder.row or not call.store.knows(state.epoch, max(state.floor, state.ceiling)):
        raise EwsError("ErrorInvalidSyncStateData")
    return state


def _changes(call: Call, state: SyncState, limit: int, shape: Shape, ignored: frozenset[str]) -> str:
    """Return one page: rows below the cursor that changed after the floor; the last page raises the floor."""
    store = call.store
    cursor = state.cursor or store.next_row()
    ceiling = state.ceiling or store.change()
    found = store.changes(state.folder, state.floor, cursor, limit + 1)
    page, more = found[:limit], len(found) > limit
    if more:
        after = SyncState(store.epoch(), state.folder, state.floor, ceiling, page[-1].row)
    else:
        after = SyncState(store.epoch(), state.folder, floor=ceiling)
    told = [entry for entry in page if item_id(entry.mailbox, entry.row) not in ignored]
    body = "".join(_change(call, entry, state, shape) for entry in told)
    return (
        f"<m:SyncState>{after.text()}</m:SyncState>"
        f"<m:IncludesLastItemInRange>{'false' if more else 'true'}</m:IncludesLastItemInRange>"
        f"<m:Changes>{body}</m:Changes>"
    )


def _change(call: Call, entry: Stored | Removed, state: SyncState, shape: Shape) -> str:
    if isinstance(entry, Removed):
        return f'<t:Delete><t:ItemId Id="{item_id(entry.mailbox, entry.row)}"/></t:Delete>'
    verb = "Create" if entry.created_change > state.floor else "Update"
    view = view_of(entry, call.owner(entry.mailbox), body_type=shape.body_type)
    return f"<t:{verb}>{call.rendered(view, shape)}</t:{verb}>"
