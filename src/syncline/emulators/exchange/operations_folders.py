"""Folders: get, find, create, rename, delete, and the changes of the hierarchy; how a folder is rendered."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from syncline.emulators.exchange import writes
from syncline.emulators.exchange.call import Call
from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.identifiers import SyncState, change_key, folder_id, read_sync_state
from syncline.emulators.exchange.model import Folder
from syncline.emulators.exchange.wire import M, T, children, escape, failure, local, response, success
from syncline.emulators.exchange.wire_fields import RIGHTS

_TAGS = {"IPF.Appointment": "CalendarFolder", "IPF.Contact": "ContactsFolder", "IPF.Task": "TasksFolder"}
HIDDEN_TAG = "0x10f4"


def folder_xml(call: Call, folder: Folder, shape: etree._Element | None) -> str:
    """Return the element of a folder in a FolderShape."""
    base = shape.findtext(f"{T}BaseShape") if shape is not None else "Default"
    ident = f'<t:FolderId Id="{folder_id(folder.mailbox, folder.row)}" ChangeKey="{change_key(folder.change)}"/>'
    tag = _TAGS.get(folder.folder_class, "Folder")
    wanted = {e.get("FieldURI", "") for e in shape.iter(f"{T}FieldURI")} if shape is not None else set()
    parts = [xml for uri, xml in _fields(call, folder) if base != "IdOnly" or uri in wanted]
    return f"<t:{tag}>{ident}{''.join(parts)}</t:{tag}>"


def _fields(call: Call, folder: Folder) -> Iterator[tuple[str, str]]:
    if folder.parent:
        parent = folder_id(folder.mailbox, folder.parent)
        yield "folder:ParentFolderId", f'<t:ParentFolderId Id="{parent}" ChangeKey="{change_key(1)}"/>'
    yield "folder:FolderClass", f"<t:FolderClass>{folder.folder_class}</t:FolderClass>"
    yield "folder:DisplayName", f"<t:DisplayName>{escape(folder.name)}</t:DisplayName>"
    yield "folder:TotalCount", f"<t:TotalCount>{call.store.count(folder.row)}</t:TotalCount>"
    children = sum(f.parent == folder.row for f in call.store.folders(folder.mailbox))
    yield "folder:ChildFolderCount", f"<t:ChildFolderCount>{children}</t:ChildFolderCount>"
    yield "folder:EffectiveRights", f"<t:EffectiveRights>{RIGHTS}</t:EffectiveRights>"
    if folder.distinguished:
        name = f"<t:DistinguishedFolderId>{folder.distinguished}</t:DistinguishedFolderId>"
        yield "folder:DistinguishedFolderId", name
    if folder.folder_class == "IPF.Note":
        yield "folder:UnreadCount", "<t:UnreadCount>0</t:UnreadCount>"


def get_folder(call: Call, request: etree._Element) -> str:
    """Return the folders of the ids, each in its own response message."""
    shape = request.find(f"{M}FolderShape")
    messages = []
    for element in children(request, f"{M}FolderIds"):
        try:
            xml = folder_xml(call, call.folder(element), shape)
            messages.append(success("GetFolder", f"<m:Folders>{xml}</m:Folders>"))
        except EwsError as error:
            messages.append(failure("GetFolder", _unless_fault(error), "<m:Folders/>"))
    return response("GetFolder", messages)


def _unless_fault(error: EwsError) -> EwsError:
    if error.fault:
        raise error
    return error


def find_folder(call: Call, request: etree._Element) -> str:
    """Return the folders below others; a restriction on the folder class or the hidden flag is applied."""
    shape = request.find(f"{M}FolderShape")
    deep = request.get("Traversal") == "Deep"
    restriction = request.find(f"{M}Restriction")
    view = request.find(f"{M}IndexedPageFolderView")
    messages = []
    for element in children(request, f"{M}ParentFolderIds"):
        try:
            found = below(call, call.folder(element), deep=deep)
            if restriction is not None:
                found = [folder for folder in found if _matches(call, folder, restriction[0])]
            messages.append(success("FindFolder", _root_folder(call, found, shape, view)))
        except EwsError as error:
            messages.append(failure("FindFolder", _unless_fault(error)))
    return response("FindFolder", messages)


def _root_folder(call: Call, found: list[Folder], shape: etree._Element | None, view: etree._Element | None) -> str:
    offset = int(view.get("Offset", "0")) if view is not None else 0
    limit = int(view.get("MaxEntriesReturned", "1000")) if view is not None else len(found)
    page = found[offset : offset + limit]
    end = offset + len(page)
    body = "".join(folder_xml(call, folder, shape) for folder in page)
    attributes = (
        f'IndexedPagingOffset="{end}" TotalItemsInView="{len(found)}"'
        f' IncludesLastItemInRange="{"true" if end >= len(found) else "false"}"'
    )
    return f"<m:RootFolder {attributes}><t:Folders>{body}</t:Folders></m:RootFolder>"


def below(call: Call, parent: Folder, *, deep: bool) -> list[Folder]:
    """Return the folders directly in a folder, or all the way down."""
    inside = {parent.row}
    found = []
    for folder in call.store.folders(parent.mailbox):
        if folder.parent in inside:
            found.append(folder)
            if deep:
                inside.add(folder.row)
    return found


def _matches(call: Call, folder: Folder, condition: etree._Element) -> bool:
    name = local(condition)
    if name in ("And", "Or"):
        results = [_matches(call, folder, c) for c in condition]
        return all(results) if name == "And" else any(results)
    if name == "Not":
        return not _matches(call, folder, condition[0])
    value = _value(folder, condition[0])
    constant = condition.find(f"{T}FieldURIOrConstant/{T}Constant")
    if constant is None:
        constant = condition.find(f"{T}Constant")
    wanted = constant.get("Value", "") if constant is not None else ""
    if name == "IsEqualTo":
        return value == wanted
    if name == "IsNotEqualTo":
        return value != wanted
    if name == "Contains":
        return wanted.lower() in value.lower()
    raise call.refuse(f"Restriction {name} on folders.")


def _value(folder: Folder, path: etree._Element) -> str:
    if local(path) == "ExtendedFieldURI":
        return "false" if path.get("PropertyTag", "").lower() == HIDDEN_TAG else ""
    return {"folder:FolderClass": folder.folder_class, "folder:DisplayName": folder.name}.get(
        path.get("FieldURI", ""), ""
    )


def sync_folder_hierarchy(call: Call, request: etree._Element) -> str:
    """Return folders created, changed and removed since a state."""
    shape = request.find(f"{M}FolderShape")
    target = request.find(f"{M}SyncFolderId")
    if target is not None:
        root: Folder | None = call.folder(target[0])
    else:
        root = call.store.distinguished(call.acting().row, "msgfolderroot")
    assert root is not None
    content = _hierarchy(call, root, shape, request.findtext(f"{M}SyncState"))
    return response("SyncFolderHierarchy", [success("SyncFolderHierarchy", content)])


def _hierarchy(call: Call, root: Folder, shape: etree._Element | None, text: str | None) -> str:
    state = read_sync_state(text) if text else SyncState(call.store.epoch(), root.row)
    if state.folder != root.row or not call.store.knows(state.epoch, state.floor):
        raise EwsError("ErrorInvalidSyncStateData")
    changes = []
    inside = {root.row} | {folder.row for folder in below(call, root, deep=True)}
    for folder in call.store.folder_changes(root.mailbox, state.floor):
        if folder.deleted and folder.created_change <= state.floor:
            changes.append(f'<t:Delete><t:FolderId Id="{folder_id(folder.mailbox, folder.row)}"/></t:Delete>')
        elif not folder.deleted and folder.row in inside and folder.row != root.row:
            verb = "Create" if folder.created_change > state.floor else "Update"
            changes.append(f"<t:{verb}>{folder_xml(call, folder, shape)}</t:{verb}>")
    after = SyncState(call.store.epoch(), root.row, floor=call.store.change())
    return (
        f"<m:SyncState>{after.text()}</m:SyncState><m:IncludesLastFolderInRange>true</m:IncludesLastFolderInRange>"
        f"<m:Changes>{''.join(changes)}</m:Changes>"
    )


def create_folder(call: Call, request: etree._Element) -> str:
    """Create folders in a folder; a CalendarFolder is another calendar."""
    messages = []
    parent = call.folder(children(request, f"{M}ParentFolderId")[0])
    kinds = {tag: folder_class for folder_class, tag in _TAGS.items()}
    for element in children(request, f"{M}Folders"):
        kind = element.findtext(f"{T}FolderClass") or kinds.get(local(element), "IPF.Note")
        folder = call.store.add_folder(parent.mailbox, parent.row, element.findtext(f"{T}DisplayName") or "", kind)
        ident = f'<t:FolderId Id="{folder_id(folder.mailbox, folder.row)}" ChangeKey="{change_key(folder.change)}"/>'
        xml = f"<t:{local(element)}>{ident}</t:{local(element)}>"
        messages.append(success("CreateFolder", f"<m:Folders>{xml}</m:Folders>"))
    return response("CreateFolder", messages)


def update_folder(call: Call, request: etree._Element) -> str:
    """Rename folders; other properties of a folder cannot be changed."""
    messages = []
    for element in children(request, f"{M}FolderChanges"):
        try:
            folder = call.folder(element[0])
            for change in children(element, f"{T}Updates"):
                _change_folder(call, folder, change)
            tag = _TAGS.get(folder.folder_class, "Folder")
            ident = folder_id(folder.mailbox, folder.row)
            xml = f'<t:{tag}><t:FolderId Id="{ident}" ChangeKey="{change_key(call.store.change())}"/></t:{tag}>'
            messages.append(success("UpdateFolder", f"<m:Folders>{xml}</m:Folders>"))
        except EwsError as error:
            messages.append(failure("UpdateFolder", _unless_fault(error), "<m:Folders/>"))
    return response("UpdateFolder", messages)


def _change_folder(call: Call, folder: Folder, change: etree._Element) -> None:
    """Apply one change: a name, or what changes nothing (the class it has, an absent property deleted)."""
    uri, verb = change[0].get("FieldURI", ""), local(change)
    if verb == "SetFolderField" and uri == "folder:DisplayName":
        call.store.rename_folder(folder.row, change[1].findtext(f"{T}DisplayName") or folder.name)
    elif verb == "SetFolderField" and change[1].findtext(f"{T}FolderClass") != folder.folder_class:
        raise call.refuse(f"UpdateFolder of {uri}.")


def empty_folder(call: Call, request: etree._Element) -> str:
    """Delete what is in folders, subfolders too when asked, in any of the three ways; nobody is mailed."""
    kind = request.get("DeleteType", "")
    messages = []
    for element in children(request, f"{M}FolderIds"):
        try:
            folder = call.folder(element)
            with call.store.unit():
                for stored in call.store.items(folder.row):
                    writes.take_away(call, stored, kind)
                inner = below(call, folder, deep=False) if request.get("DeleteSubFolders") in ("true", "1") else []
                for child in inner:
                    call.store.remove_folder(child.row)
            messages.append(success("EmptyFolder"))
        except EwsError as error:
            messages.append(failure("EmptyFolder", _unless_fault(error)))
    return response("EmptyFolder", messages)


def delete_folder(call: Call, request: etree._Element) -> str:
    """Remove folders with their items; well-known folders cannot be removed."""
    messages = []
    for element in children(request, f"{M}FolderIds"):
        try:
            folder = call.folder(element)
            if folder.distinguished:
                raise EwsError("ErrorCannotDeleteObject")
            call.store.remove_folder(folder.row)
            messages.append(success("DeleteFolder"))
        except EwsError as error:
            messages.append(failure("DeleteFolder", _unless_fault(error)))
    return response("DeleteFolder", messages)
