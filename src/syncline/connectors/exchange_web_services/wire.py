"""The SOAP envelope of Exchange Web Services: requests out, response messages in. Bytes and values only.

What comes from the server is parsed by a hardened parser and read by element name, never by position: servers other
than Exchange order elements differently. This module knows the envelope; it must not know calendar items, the network
or the catalogue. Source: the public EWS reference (exchange/client-developer/web-service-reference).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lxml import etree

NS_SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
NS_MESSAGES: Final = "http://schemas.microsoft.com/exchange/services/2006/messages"
NS_TYPES: Final = "http://schemas.microsoft.com/exchange/services/2006/types"
T: Final = f"{{{NS_TYPES}}}"
M: Final = f"{{{NS_MESSAGES}}}"
ANSWER_MAX_BYTES: Final = 64 * 1024 * 1024
TEXT_MAX_CHARS: Final = 200
NO_ERROR: Final = "NoError"
_DOCTYPE: Final = b"<!DOCTYPE"
_PROLOG_BYTES: Final = 1024


class InvalidAnswer(ValueError):  # noqa: N818 - the name says what it is
    """The bytes are not an answer of Exchange Web Services; the message says why, without quoting them."""


class TooLarge(InvalidAnswer):
    """The answer is larger than the limit."""

    def __init__(self) -> None:
        super().__init__(f"it is more than {ANSWER_MAX_BYTES // 1_048_576} MB")


class FaultAnswer(Exception):  # noqa: N818 - the name says what it is
    """The server refused the whole request with a SOAP fault: EWS response code, its text, its wish to wait."""

    def __init__(self, code: str, text: str, wait_s: float | None) -> None:
        self.code = code
        self.text = text
        self.wait_s = wait_s
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class Request:
    """One operation and the content of its SOAP body."""

    operation: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One response message: its code (NoError when all is well), text, wish to wait in seconds, and its element."""

    code: str
    text: str
    wait_s: float | None
    element: etree._Element

    @property
    def ok(self) -> bool:
        """Return whether the server did what was asked."""
        return self.code == NO_ERROR


def envelope(request: Request, impersonated: str | None) -> bytes:
    """Return the whole SOAP message; `impersonated` is the escaped address of the mailbox to act for."""
    sid = (
        "<t:ExchangeImpersonation><t:ConnectingSID><t:SmtpAddress>"
        f"{impersonated}</t:SmtpAddress></t:ConnectingSID></t:ExchangeImpersonation>"
        if impersonated
        else ""
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<s:Envelope xmlns:s="{NS_SOAP}" xmlns:m="{NS_MESSAGES}" xmlns:t="{NS_TYPES}">'
        f'<s:Header><t:RequestServerVersion Version="Exchange2013_SP1"/>{sid}</s:Header>'
        f"<s:Body>{request.body}</s:Body></s:Envelope>"
    ).encode()


def parse(answer: bytes) -> etree._Element:
    """Return the root of hardened XML; raises InvalidAnswer for a document type, an entity, or broken XML."""
    if len(answer) > ANSWER_MAX_BYTES:
        raise TooLarge
    if _DOCTYPE in answer[:_PROLOG_BYTES]:
        raise InvalidAnswer("it declares a document type")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(answer, parser)
    except etree.XMLSyntaxError as error:
        raise InvalidAnswer("the XML is broken") from error
    if root is None:
        raise InvalidAnswer("it is empty")
    if str(getattr(root.getroottree().docinfo, "doctype", "")):
        raise InvalidAnswer("it declares a document type")
    return root


def messages(answer: bytes, operation: str) -> list[Message]:
    """Return the response messages of an answer; raises FaultAnswer for a SOAP fault, else InvalidAnswer."""
    body = _body(parse(answer))
    fault = body.find(f"{{{NS_SOAP}}}Fault")
    if fault is not None:
        raise _fault(fault)
    response = body.find(f"{M}{operation}Response")
    if response is None:
        raise InvalidAnswer(f"there is no answer to {operation}")
    holder = response.find(f"{M}ResponseMessages")
    if holder is None:
        raise InvalidAnswer(f"the answer to {operation} holds no messages")
    return [_message(element) for element in holder]


def text_of(element: etree._Element, name: str) -> str | None:
    """Return the text of the child with that qualified name, None if there is no such child."""
    child = element.find(name)
    return None if child is None else child.text or ""


def _body(root: etree._Element) -> etree._Element:
    body = root.find(f"{{{NS_SOAP}}}Body") if root.tag == f"{{{NS_SOAP}}}Envelope" else None
    if body is None:
        raise InvalidAnswer("it is not a SOAP message")
    return body


def _message(element: etree._Element) -> Message:
    code = text_of(element, f"{M}ResponseCode") or (
        "ErrorUnknown" if element.get("ResponseClass") == "Error" else NO_ERROR
    )
    if element.get("ResponseClass") == "Warning" and code != "ErrorBatchProcessingStopped":
        code = NO_ERROR
    text = text_of(element, f"{M}MessageText") or ""
    wait_s = None if code == NO_ERROR else _wait_s(element)
    return Message(code=code, text=text[:TEXT_MAX_CHARS], wait_s=wait_s, element=element)


def _fault(fault: etree._Element) -> FaultAnswer:
    """Read a fault by the local names of its parts: versions of Exchange put them into different namespaces."""
    found = dict(_local_texts(fault))
    code = found.get("ResponseCode") or found.get("faultcode", "").rpartition(":")[2]
    return FaultAnswer(code, (found.get("Message") or found.get("faultstring", ""))[:TEXT_MAX_CHARS], _wait_s(fault))


def _local_texts(element: etree._Element) -> Iterator[tuple[str, str]]:
    for child in element.iter():
        if child.text:
            yield etree.QName(child).localname, child.text.strip()


def _wait_s(element: etree._Element) -> float | None:
    """Return BackOffMilliseconds of a MessageXml in seconds."""
    for value in element.iter(f"{T}Value"):
        if value.get("Name") == "BackOffMilliseconds" and (value.text or "").strip().isdecimal():
            return int(value.text or "0") / 1000
    return None
