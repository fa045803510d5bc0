"""GetUserConfiguration: the master category list of a mailbox, as Outlook keeps it in the calendar folder.

The XML is that of [MS-OXOCFG] 2.2.5.2; Exchange hands it out as base64 in XmlData.
"""

from __future__ import annotations

import uuid
from base64 import b64encode

import msgspec
from lxml import etree

from syncline.emulators.exchange.call import Call
from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.identifiers import item_id
from syncline.emulators.exchange.wire import M, escape, local, response, success

NAME = "CategoryList"
COLORS = {"Red Category": 0, "Orange Category": 1, "Yellow Category": 3, "Green Category": 4, "Blue Category": 7,
          "Purple Category": 8}  # fmt: skip
_SPACE = "CategoryList.xsd"


def category_names(call: Call, mailbox: int) -> dict[str, int]:
    """Return a mailbox's categories with their colors: Outlook's six, and what was added."""
    found = dict(COLORS)
    for _, text in call.store.notes(f"category:{mailbox}"):
        found[msgspec.json.decode(text)] = -1
    return found


def get_user_configuration(call: Call, request: etree._Element) -> str:
    """Return the category list of the calendar folder; nothing else is configured here."""
    return response("GetUserConfiguration", [success("GetUserConfiguration", _configuration(call, request))])


def _configuration(call: Call, request: etree._Element) -> str:
    name = request.find(f"{M}UserConfigurationName")
    if name is None or len(name) == 0:
        raise EwsError("ErrorSchemaValidation", "UserConfigurationName is missing.", fault=True)
    folder = call.folder(name[0])
    wanted = request.findtext(f"{M}UserConfigurationProperties") or ""
    if name.get("Name") != NAME or folder.folder_class != "IPF.Appointment":
        raise EwsError("ErrorItemNotFound")
    attributes = "".join(f' {key!s}="{escape(str(value))}"' for key, value in name[0].attrib.items())
    tag = local(name[0])
    parts = f'<t:UserConfigurationName Name="{NAME}"><t:{tag}{attributes}/></t:UserConfigurationName>'
    if "Id" in wanted.split() or "All" in wanted:
        parts += f'<t:ItemId Id="{item_id(folder.mailbox, folder.row)}"/>'
    if "XmlData" in wanted or "All" in wanted:
        parts += f"<t:XmlData>{b64encode(category_list(category_names(call, folder.mailbox))).decode()}</t:XmlData>"
    return f"<m:UserConfiguration>{parts}</m:UserConfiguration>"


def category_list(names: dict[str, int]) -> bytes:
    """Return the category list document for names and colors (-1 is no color)."""
    rows = "".join(
        f'<category name="{escape(name)}" color="{color}" keyboardShortcut="0" usageCount="0"'
        ' lastTimeUsedNotes="1601-01-01T00:00:00.000" lastTimeUsedJournal="1601-01-01T00:00:00.000"'
        ' lastTimeUsedContacts="1601-01-01T00:00:00.000" lastTimeUsedTasks="1601-01-01T00:00:00.000"'
        ' lastTimeUsedCalendar="1601-01-01T00:00:00.000" lastTimeUsedMail="1601-01-01T00:00:00.000"'
        f' lastTimeUsed="1601-01-01T00:00:00.000" lastSessionUsed="0" guid="{{{_guid(name)}}}"/>'
        for name, color in names.items()
    )
    default = escape(next(iter(names), ""))
    return (
        f'<?xml version="1.0"?><categories default="{default}" lastSavedSession="0"'
        f' lastSavedTime="2020-01-01T00:00:00.000" xmlns="{_SPACE}">{rows}</categories>'
    ).encode()


def _guid(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, name)).upper()
