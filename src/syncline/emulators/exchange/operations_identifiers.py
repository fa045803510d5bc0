"""ConvertId: item and folder ids between their spellings. Clients ask it to learn the server's version."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode

from lxml import etree

from syncline.emulators.exchange.call import Call
from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.identifiers import read_folder_id, read_item_id
from syncline.emulators.exchange.operations_items import each
from syncline.emulators.exchange.wire import M, children, escape, local

FORMATS = frozenset({"EwsId", "EwsLegacyId", "EntryId", "HexEntryId"})


def convert_id(call: Call, request: etree._Element) -> str:
    """Return each AlternateId in the format that is asked; StoreId and OwaId are not supported."""
    wanted = request.get("DestinationFormat", "")

    def one(element: etree._Element) -> str:
        given = element.get("Format", "")
        if {given, wanted} - FORMATS or local(element) != "AlternateId":
            raise call.refuse(f"{local(element)} from {given} to {wanted}.")
        ident = _ews_id(element.get("Id", ""), given)
        mailbox = escape(element.get("Mailbox", ""))
        return (
            f'<m:AlternateId xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="t:AlternateIdType"'
            f' Format="{wanted}" Id="{_spelt(ident, wanted)}" Mailbox="{mailbox}"/>'
        )

    return each("ConvertId", children(request, f"{M}SourceIds"), one)


def _ews_id(text: str, given: str) -> str:
    try:
        raw = {"EntryId": lambda: b64decode(text, validate=True), "HexEntryId": lambda: bytes.fromhex(text)}
        ident = raw[given]().decode() if given in raw else text
    except (binascii.Error, ValueError):
        raise EwsError("ErrorInvalidIdMalformed") from None
    try:
        read_item_id(ident)
    except EwsError:
        read_folder_id(ident)
    return ident


def _spelt(ident: str, wanted: str) -> str:
    if wanted == "EntryId":
        return b64encode(ident.encode()).decode()
    return ident.encode().hex().upper() if wanted == "HexEntryId" else ident
