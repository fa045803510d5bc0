"""User configuration objects: what programs keep in a folder, and the category list as Outlook keeps it there.

Exchange hands XML documents out as base64 in XmlData. The category list is made of the mailbox's categories and cannot
be written here; other objects are kept as they come, without a Dictionary.
"""

from __future__ import annotations

from base64 import b64decode, b64encode

import msgspec
from lxml import etree

from syncline.emulators.exchange.call import Call
from syncline.emulators.exchange.categories import category_list, category_names
from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.identifiers import item_id
from syncline.emulators.exchange.model import Folder
from syncline.emulators.exchange.wire import M, T, escape, local, response, success

CATEGORIES = "CategoryList"
KEPT = ("XmlData", "BinaryData")


def get_user_configuration(call: Call, request: etree._Element) -> str:
    """Return an object of a folder, with the properties asked for."""
    name = request.find(f"{M}UserConfigurationName")
    folder = _folder(call, name)
    assert name is not None
    asked = (request.findtext(f"{M}UserConfigurationProperties") or "").split()
    kept = _kept(call, folder, name.get("Name", ""))
    if kept is None:
        raise EwsError("ErrorItemNotFound")
    attributes = "".join(f' {key!s}="{escape(str(value))}"' for key, value in name[0].attrib.items())
    title, tag = escape(name.get("Name", "")), local(name[0])
    parts = f'<t:UserConfigurationName Name="{title}"><t:{tag}{attributes}/></t:UserConfigurationName>'
    if "Id" in asked or "All" in asked:
        parts += f'<t:ItemId Id="{item_id(folder.mailbox, folder.row)}"/>'
    for prop in KEPT:
        if prop in kept and (prop in asked or "All" in asked):
            parts += f"<t:{prop}>{kept[prop]}</t:{prop}>"
    content = f"<m:UserConfiguration>{parts}</m:UserConfiguration>"
    return response("GetUserConfiguration", [success("GetUserConfiguration", content)])


def create_user_configuration(call: Call, request: etree._Element) -> str:
    """Create an object; one that is there is refused."""
    folder, name, given = _written(call, request)
    with call.store.unit():
        if _kept(call, folder, name) is not None:
            raise EwsError("ErrorFolderExists")
        call.store.put_note(_kind(folder, name), msgspec.json.encode(given).decode())
    return response("CreateUserConfiguration", [success("CreateUserConfiguration")])


def update_user_configuration(call: Call, request: etree._Element) -> str:
    """Replace the properties given of an object that is there."""
    folder, name, given = _written(call, request)
    with call.store.unit():
        kept = _kept(call, folder, name)
        if kept is None:
            raise EwsError("ErrorItemNotFound")
        ((row, _),) = call.store.notes(_kind(folder, name))
        call.store.keep_note(row, _kind(folder, name), msgspec.json.encode(kept | given).decode())
    return response("UpdateUserConfiguration", [success("UpdateUserConfiguration")])


def delete_user_configuration(call: Call, request: etree._Element) -> str:
    """Delete an object."""
    element = request.find(f"{M}UserConfigurationName")
    folder, name = _folder(call, element), "" if element is None else element.get("Name", "")
    _require_rights(call, name)
    with call.store.unit():
        rows = [row for row, _ in call.store.notes(_kind(folder, name))]
        if not rows:
            raise EwsError("ErrorItemNotFound")
        for row in rows:
            call.store.remove_note(row)
    return response("DeleteUserConfiguration", [success("DeleteUserConfiguration")])


def _written(call: Call, request: etree._Element) -> tuple[Folder, str, dict[str, str]]:
    """Return folder, name and properties of an object that is to be written."""
    element = request.find(f"{M}UserConfiguration")
    if element is None:
        raise EwsError("ErrorSchemaValidation", "UserConfiguration is missing.", fault=True)
    title = element.find(f"{T}UserConfigurationName")
    folder, name = _folder(call, title), "" if title is None else title.get("Name", "")
    _require_rights(call, name)
    if element.find(f"{T}Dictionary") is not None:
        raise call.refuse("A Dictionary is not supported by this server.")
    given = {prop: text for prop in KEPT if (text := element.findtext(f"{T}{prop}")) is not None}
    for text in given.values():
        b64decode(text, validate=True)
    return folder, name, given


def _require_rights(call: Call, name: str) -> None:
    if call.denied:
        raise EwsError("ErrorAccessDenied")
    if call.spoils():
        raise EwsError("ErrorInternalServerError")
    if name == CATEGORIES:
        raise call.refuse("The category list cannot be written on this server.")


def _folder(call: Call, name: etree._Element | None) -> Folder:
    if name is None or len(name) == 0:
        raise EwsError("ErrorSchemaValidation", "UserConfigurationName is missing.", fault=True)
    return call.folder(name[0])


def _kept(call: Call, folder: Folder, name: str) -> dict[str, str] | None:
    """Return the properties of an object, base64 as they travel; None if there is none."""
    if name == CATEGORIES:
        if folder.folder_class != "IPF.Appointment":
            return None
        return {"XmlData": b64encode(category_list(category_names(call.store, folder.mailbox))).decode()}
    notes = call.store.notes(_kind(folder, name))
    return msgspec.json.decode(notes[0][1], type=dict[str, str]) if notes else None


def _kind(folder: Folder, name: str) -> str:
    """Return under which kind of note an object is kept."""
    return f"configuration:{folder.row}:{name}"
