"""Files of items: the requests that list, get, create and delete them, and how their answers are read.

A content can be longer than a hardened tree may hold, so it is read by a parser that keeps nothing but the decoded
bytes and stops at a limit. This module must not know the network. Source: the pages CreateAttachment, GetAttachment and
DeleteAttachment of the public EWS reference.
"""

from __future__ import annotations

import binascii
from base64 import b64encode
from collections.abc import Sequence
from typing import Final
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from syncline.connectors.exchange_web_services.wire import (
    NS_TYPES,
    InvalidAnswer,
    Message,
    Request,
    T,
    messages,
    text_of,
)
from syncline.connectors.exchange_web_services.wire_items import Item
from syncline.connectors.exchange_web_services.wire_requests import item_id
from syncline.ports import Attachment, Attachments, NewAttachment

_SHAPE: Final = (
    "<m:ItemShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties>"
    '<t:FieldURI FieldURI="item:Attachments"/></t:AdditionalProperties></m:ItemShape>'
)
_FILE: Final = f"{T}FileAttachment"
_CONTENT: Final = f"{NS_TYPES} Content"
_PARTS: Final = 4  # characters of base64 that make whole bytes


class TooMuch(Exception):  # noqa: N818 - the name says what it is
    """The content is larger than the limit."""


def list_attachments(refs: Sequence[str]) -> Request:
    """Build GetItem of nothing but revision and attachments, without their contents."""
    ids = "".join(map(item_id, refs))
    return Request("GetItem", f"<m:GetItem>{_SHAPE}<m:ItemIds>{ids}</m:ItemIds></m:GetItem>")


def get_attachment(ref: str) -> Request:
    """Build GetAttachment of one file."""
    return Request("GetAttachment", f"<m:GetAttachment>{_ids(ref)}</m:GetAttachment>")


def create_attachment(ref: str, revision: str, new: NewAttachment) -> Request:
    """Build CreateAttachment of one file, on an item with this ChangeKey."""
    kind = f"<t:ContentType>{escape(new.content_type)}</t:ContentType>" if new.content_type else ""
    return Request(
        "CreateAttachment",
        f"<m:CreateAttachment><m:ParentItemId Id={quoteattr(ref)} ChangeKey={quoteattr(revision)}/><m:Attachments>"
        f"<t:FileAttachment><t:Name>{escape(new.name)}</t:Name>{kind}"
        f"<t:Content>{b64encode(new.content).decode()}</t:Content></t:FileAttachment></m:Attachments>"
        "</m:CreateAttachment>",
    )


def delete_attachment(ref: str) -> Request:
    """Build DeleteAttachment of one file."""
    return Request("DeleteAttachment", f"<m:DeleteAttachment>{_ids(ref)}</m:DeleteAttachment>")


def attachments_of(item: Item) -> Attachments:
    """Return what is attached to an item; pictures that its text shows are no files."""
    holder = item.fields.get("Attachments")
    listed = () if holder is None else tuple(holder)
    shown = (each for each in listed if (text_of(each, f"{T}IsInline") or "").strip() not in ("true", "1"))
    return Attachments(revision=item.revision, files=tuple(map(_attachment, shown)))


def made_ref(message: Message) -> str:
    """Return the id of the file that CreateAttachment made; InvalidAnswer if it names none."""
    found = message.element.find(f".//{T}AttachmentId")
    ref = None if found is None else found.get("Id")
    if not ref:
        raise InvalidAnswer("a new attachment has no id")
    return ref


def root_revision(message: Message) -> str:
    """Return the ChangeKey that an item got by the write, "" if the server did not say."""
    keys = (element.get("RootItemChangeKey") for element in message.element.iter())
    return next((key for key in keys if key), "")


def content_of(answer: bytes, operation: str, size_max: int, listed: int = 0) -> bytes | Message:
    """Return the content in an answer, or the message of one that has none; raises TooMuch, InvalidAnswer.

    A success without any content is an empty file only if the file was `listed` with no bytes.
    """
    reader = _Reader(size_max)
    try:
        found = reader.read(answer)
    except (expat.ExpatError, binascii.Error) as error:
        raise InvalidAnswer("the content cannot be read") from error
    if found is not None:
        return found
    told = messages(answer, operation)
    if len(told) != 1:
        raise InvalidAnswer(f"{len(told)} answers to one question")
    if told[0].ok and told[0].element.find(f".//{_FILE}") is None:
        raise InvalidAnswer("there is no file in the answer")
    if told[0].ok and listed:
        raise InvalidAnswer(f"there is no content in the answer about a file of {listed} bytes")
    return b"" if told[0].ok else told[0]


class _Reader:
    """Collects the decoded text of the one Content element; refuses a document type before it can declare anything."""

    def __init__(self, size_max: int) -> None:
        self._size_max = size_max
        self._inside = False
        self._found = False
        self._rest = b""
        self._pieces: list[bytes] = []
        self._size = 0

    def read(self, answer: bytes) -> bytes | None:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.Parse(answer, True)
        return b"".join(self._pieces) if self._found else None

    def _refuse(self, *_: object) -> None:
        raise InvalidAnswer("it declares a document type")

    def _start(self, name: str, _: dict[str, str]) -> None:
        if name == _CONTENT and not self._found:
            self._inside = self._found = True

    def _end(self, name: str) -> None:
        if name == _CONTENT and self._inside:
            self._inside = False
            self._keep(self._rest)

    def _text(self, text: str) -> None:
        if self._inside:
            given = self._rest + "".join(text.split()).encode()
            whole = len(given) - len(given) % _PARTS
            self._rest = given[whole:]
            self._keep(given[:whole])

    def _keep(self, encoded: bytes) -> None:
        piece = binascii.a2b_base64(encoded)
        self._size += len(piece)
        if self._size > self._size_max:
            raise TooMuch
        self._pieces.append(piece)


def _ids(ref: str) -> str:
    return f"<m:AttachmentIds><t:AttachmentId Id={quoteattr(ref)}/></m:AttachmentIds>"


def _attachment(element: etree._Element) -> Attachment:
    found = element.find(f"{T}AttachmentId")
    size = (text_of(element, f"{T}Size") or "0").strip()
    if found is None or not found.get("Id") or not size.isdecimal():
        raise InvalidAnswer("an attachment has no id or no size")
    return Attachment(
        ref=found.get("Id") or "",
        name=text_of(element, f"{T}Name") or "",
        size=int(size),
        stamp=text_of(element, f"{T}LastModifiedTime") or "",
        content_type=text_of(element, f"{T}ContentType") or "",
        file=element.tag == _FILE,
    )
