"""GetUserConfiguration: the master category list of a mailbox, as Outlook keeps it in the calendar folder.

Exchange hands the document out as base64 in XmlData.
"""

from __future__ import annotations

from base64 import b64encode

from lxml import etree

from syncline.emulators.exchange.call import Call
from syncline.emulators.exchange.categories import category_list, category_names
from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.identifiers import item_id
from syncline.emulators.exchange.wire import M, escape, local, response, success

NAME = "CategoryList"


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
        parts += (
            f"<t:XmlData>{b64encode(category_list(category_names(call.store, folder.mailbox))).decode()}</t:XmlData>"
        )
    return f"<m:UserConfiguration>{parts}</m:UserConfiguration>"
