"""The organization mark on the wire: a user configuration object of the calendar folder, and the document within.

Requests out, values in. Every text is escaped here. It must not know the network, nor what a mark is for. Sources: the
pages CreateUserConfiguration, GetUserConfiguration and UpdateUserConfiguration of the public EWS reference.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from datetime import datetime
from typing import Final
from xml.sax.saxutils import escape

from lxml import etree

from syncline.connectors.exchange_web_services.wire import InvalidAnswer, M, Message, Request, T, parse, text_of
from syncline.ports import OrganizationMark

NAME: Final = "Syncline"
_SPACE: Final = "urn:syncline:organization-mark"
_IN: Final = f"{{{_SPACE}}}"
_UNREADABLE: Final = OrganizationMark(installation="", crm_name="", since=None)


def get_mark(calendar: str) -> Request:
    """Build GetUserConfiguration of our object in the main calendar (an element of `calendar_id`)."""
    return Request(
        "GetUserConfiguration",
        f"<m:GetUserConfiguration>{_name('m', calendar)}"
        "<m:UserConfigurationProperties>XmlData</m:UserConfigurationProperties></m:GetUserConfiguration>",
    )


def create_mark(calendar: str, mark: OrganizationMark) -> Request:
    """Build CreateUserConfiguration; the server refuses it where the object is there."""
    return Request("CreateUserConfiguration", _put("CreateUserConfiguration", calendar, mark))


def update_mark(calendar: str, mark: OrganizationMark) -> Request:
    """Build UpdateUserConfiguration of the object that is there."""
    return Request("UpdateUserConfiguration", _put("UpdateUserConfiguration", calendar, mark))


def mark_of(message: Message) -> OrganizationMark:
    """Return the mark of a GetUserConfiguration message; one that is none of ours has no installation."""
    holder = message.element.find(f"{M}UserConfiguration")
    data = None if holder is None else text_of(holder, f"{T}XmlData")
    try:
        return _mark(parse(b64decode(data or "")))
    except (InvalidAnswer, binascii.Error, ValueError):
        return _UNREADABLE


def _mark(document: etree._Element) -> OrganizationMark:
    since = datetime.fromisoformat(text_of(document, f"{_IN}Since") or "")
    return OrganizationMark(
        installation=text_of(document, f"{_IN}Installation") or "",
        crm_name=text_of(document, f"{_IN}Crm") or "",
        since=since if since.tzinfo else None,
    )


def _put(operation: str, calendar: str, mark: OrganizationMark) -> str:
    assert mark.since is not None
    document = (
        f'<?xml version="1.0" encoding="utf-8"?><OrganizationMark xmlns="{_SPACE}">'
        f"<Installation>{escape(mark.installation)}</Installation><Crm>{escape(mark.crm_name)}</Crm>"
        f"<Since>{mark.since.isoformat()}</Since></OrganizationMark>"
    )
    data = b64encode(document.encode()).decode()
    return (
        f"<m:{operation}><m:UserConfiguration>{_name('t', calendar)}<t:XmlData>{data}</t:XmlData>"
        f"</m:UserConfiguration></m:{operation}>"
    )


def _name(prefix: str, calendar: str) -> str:
    """Return the name of the object: of the messages' namespace in a question, of the types' inside an object."""
    tag = f"{prefix}:UserConfigurationName"
    return f'<{tag} Name="{NAME}">{calendar}</{tag}>'
