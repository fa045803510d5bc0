"""The envelope: hardened reading of requests, and the texts of responses, faults and response messages.

Works on bytes, lxml elements and strings; knows nothing of items, operations or HTTP. Responses are built as
text with the prefixes m, t and e, because that is several times faster than building trees.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.sax.saxutils import escape as _escape

from lxml import etree

from syncline.emulators.exchange.errors import EwsError

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
ERRORS = "http://schemas.microsoft.com/exchange/services/2006/errors"
S, M, T = f"{{{SOAP}}}", f"{{{MESSAGES}}}", f"{{{TYPES}}}"

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HEAD = (
    f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{SOAP}"><s:Header>'
    f'<h:ServerVersionInfo xmlns:h="{TYPES}" MajorVersion="15" MinorVersion="1" MajorBuildNumber="2507"'
    ' MinorBuildNumber="39" Version="V2017_07_11"/></s:Header><s:Body>'
)
_CARRIES_FILES = (b"CreateAttachment", b"CreateItem")
_OPENING_BYTES = 4096
_TAIL = "</s:Body></s:Envelope>"


@dataclass(frozen=True, slots=True)
class Envelope:
    """A parsed request: the operation's element and the header elements by local name."""

    body: etree._Element
    header: dict[str, etree._Element]

    @property
    def operation(self) -> str:
        """Return the operation's name; GetUserAvailabilityRequest is called without its suffix."""
        return local(self.body).removesuffix("Request")


def read_envelope(data: bytes) -> Envelope:
    """Parse a request without entities or network; raises a fault ErrorSchemaValidation.

    Only a request that can carry files may hold a text of more than 10 MB.
    """
    huge = any(name in data[:_OPENING_BYTES] for name in _CARRIES_FILES)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=huge, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise EwsError("ErrorSchemaValidation", f"The request is not well-formed: {error}", fault=True) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise EwsError("ErrorSchemaValidation", "A document type declaration is not allowed.", fault=True)
    body = root.find(f"{S}Body")
    if body is None or len(body) != 1:
        raise EwsError("ErrorSchemaValidation", "The SOAP body must hold one operation.", fault=True)
    header = root.find(f"{S}Header")
    return Envelope(body[0], {local(e): e for e in (header if header is not None else ())})


def local(element: etree._Element) -> str:
    """Return the name of an element without its namespace."""
    return etree.QName(element).localname


def children(element: etree._Element, path: str) -> list[etree._Element]:
    """Return the child elements at a path, or none when it is absent."""
    found = element.find(path)
    return [] if found is None else list(found)


def escape(text: str) -> str:
    """Return text for an element or attribute; characters that XML cannot hold are dropped."""
    if _FORBIDDEN.search(text):
        text = _FORBIDDEN.sub("", text)
    return _escape(text, {'"': "&quot;"})


def instant(value: datetime) -> str:
    """Return an aware UTC instant as xs:dateTime with Z, to the second."""
    return value.isoformat()[:19] + "Z"


def read_instant(text: str) -> datetime:
    """Return an xs:dateTime: aware when it carries an offset, else naive; raises ErrorSchemaValidation."""
    try:
        value = datetime.fromisoformat(text.strip())
    except ValueError:
        raise EwsError("ErrorSchemaValidation", f"Not a date and time: {text}", fault=True) from None
    value = value.replace(microsecond=0)
    return value.astimezone(UTC) if value.tzinfo else value


def envelope(body: str) -> bytes:
    """Return the whole response around an operation's response element."""
    return (_HEAD + body + _TAIL).encode()


def response(operation: str, messages: Iterable[str]) -> str:
    """Return the response element of an operation; a request that asks for nothing is an invalid one."""
    listed = "".join(messages)
    if not listed:
        raise EwsError("ErrorSchemaValidation", "The request names nothing to work on.", fault=True)
    return (
        f'<m:{operation}Response xmlns:m="{MESSAGES}" xmlns:t="{TYPES}"><m:ResponseMessages>'
        + listed
        + f"</m:ResponseMessages></m:{operation}Response>"
    )


def success(operation: str, content: str = "") -> str:
    """Return one response message that succeeded."""
    name = f"m:{operation}ResponseMessage"
    return f'<{name} ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>{content}</{name}>'


def failure(operation: str, error: EwsError, content: str = "") -> str:
    """Return one response message that failed; `content` is what the schema still demands."""
    name = f"m:{operation}ResponseMessage"
    return f'<{name} ResponseClass="Error">{error_content(error)}{content}</{name}>'


def error_content(error: EwsError) -> str:
    """Return text, code and values of a refusal, as they stand in a response message."""
    values = "".join(f'<t:Value Name="{escape(n)}">{escape(v)}</t:Value>' for n, v in error.values)
    xml = f"<m:MessageXml>{values}</m:MessageXml>" if values else ""
    return (
        f"<m:MessageText>{escape(error.text)}</m:MessageText><m:ResponseCode>{error.code}</m:ResponseCode>"
        f"<m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>{xml}"
    )


def soap_fault(error: EwsError) -> bytes:
    """Return the whole response of a refused request."""
    values = "".join(f'<t:Value Name="{escape(n)}">{escape(v)}</t:Value>' for n, v in error.values)
    xml = f'<t:MessageXml xmlns:t="{TYPES}">{values}</t:MessageXml>' if values else ""
    return (
        f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{SOAP}"><s:Body><s:Fault>'
        f'<faultcode xmlns:a="{TYPES}">a:{error.code}</faultcode>'
        f'<faultstring xml:lang="en-US">{escape(error.text)}</faultstring><detail>'
        f'<e:ResponseCode xmlns:e="{ERRORS}">{error.code}</e:ResponseCode>'
        f'<e:Message xmlns:e="{ERRORS}">{escape(error.text)}</e:Message>{xml}'
        "</detail></s:Fault></s:Body></s:Envelope>"
    ).encode()
