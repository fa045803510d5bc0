"""A small EWS client for tests: sends a body, returns the elements; knows no more of EWS than prefixes."""

from __future__ import annotations

import http.client
import json
from base64 import b64encode
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from syncline.emulators.exchange import ExchangeEmulator

TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
NS = {
    "t": TYPES,
    "m": MESSAGES,
    "s": "http://schemas.xmlsoap.org/soap/envelope/",
    "e": "http://schemas.microsoft.com/exchange/services/2006/errors",
}


@dataclass(frozen=True)
class Reply:
    """Status, headers and body of an answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def xml(self) -> etree._Element:
        """Return the parsed envelope."""
        return etree.fromstring(self.body)

    def codes(self) -> list[str]:
        """Return all response codes, of messages or of a fault."""
        return [e.text or "" for e in self.xml.iter(f"{{{MESSAGES}}}ResponseCode", f"{{{NS['e']}}}ResponseCode")]

    def all(self, path: str) -> list[etree._Element]:
        """Return the elements of a path with the prefixes t and m."""
        return list(self.xml.iterfind(f".//{path}", NS))

    def one(self, path: str) -> etree._Element:
        """Return the only element of a path."""
        (found,) = self.all(path)
        return found

    def text(self, path: str) -> str:
        """Return the text of the only element of a path."""
        return self.one(path).text or ""


@dataclass
class Client:
    """One mailbox's password and a server."""

    server: ExchangeEmulator
    name: str
    password: str
    impersonate: str = ""

    def post(self, body: str, headers: dict[str, str] | None = None, header: str = "") -> Reply:
        """Send one operation."""
        if self.impersonate:
            sid = f"<t:ConnectingSID><t:SmtpAddress>{self.impersonate}</t:SmtpAddress></t:ConnectingSID>"
            header += f"<t:ExchangeImpersonation>{sid}</t:ExchangeImpersonation>"
        data = (
            f'<s:Envelope xmlns:s="{NS["s"]}" xmlns:t="{TYPES}" xmlns:m="{MESSAGES}"><s:Header>'
            f'<t:RequestServerVersion Version="Exchange2016"/>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>'
        )
        return self.raw("POST", "/EWS/Exchange.asmx", data.encode(), headers)

    def raw(self, method: str, path: str, data: bytes = b"", headers: dict[str, str] | None = None) -> Reply:
        """Send bytes with the mailbox's Basic credentials."""
        token = b64encode(f"{self.name}:{self.password}".encode()).decode()
        given = {"Authorization": f"Basic {token}", "Content-Type": "text/xml; charset=utf-8", **(headers or {})}
        parts = urlsplit(self.server.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
        try:
            connection.request(method, path, data, given)
            answer = connection.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def control(self, method: str, path: str, values: Any = None) -> Any:
        """Send a control request and return the decoded answer; the answer must be 200."""
        data = b"" if values is None else json.dumps(values).encode()
        reply = self.raw(method, f"/emulator/{path}", data, {"Authorization": ""})
        assert reply.status == 200, reply.body
        return json.loads(reply.body)

    def create(self, fields: str, send: str = "SendToNone", folder: str = "calendar") -> Reply:
        """Create a calendar item from its inner XML."""
        return self.post(
            f'<m:CreateItem SendMeetingInvitations="{send}"><m:SavedItemFolderId>'
            f'<t:DistinguishedFolderId Id="{folder}"/></m:SavedItemFolderId>'
            f"<m:Items><t:CalendarItem>{fields}</t:CalendarItem></m:Items></m:CreateItem>"
        )

    def created(self, fields: str, send: str = "SendToNone") -> str:
        """Create a calendar item and return its id."""
        return self.create(fields, send).one("t:ItemId").get("Id") or ""

    def get(self, *ids: str, base: str = "AllProperties", extra: str = "") -> Reply:
        """Get items by id."""
        more = f"<t:AdditionalProperties>{extra}</t:AdditionalProperties>" if extra else ""
        listed = "".join(i if i.startswith("<") else f'<t:ItemId Id="{i}"/>' for i in ids)
        return self.post(
            f"<m:GetItem><m:ItemShape><t:BaseShape>{base}</t:BaseShape>{more}</m:ItemShape>"
            f"<m:ItemIds>{listed}</m:ItemIds></m:GetItem>"
        )

    def sync(self, state: str = "", limit: int = 512, folder: str = "calendar") -> Reply:
        """Ask for the changes of a folder since a state."""
        known = f"<m:SyncState>{state}</m:SyncState>" if state else ""
        return self.post(
            "<m:SyncFolderItems><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties>"
            '<t:FieldURI FieldURI="item:Categories"/></t:AdditionalProperties></m:ItemShape>'
            f'<m:SyncFolderId><t:DistinguishedFolderId Id="{folder}"/></m:SyncFolderId>{known}'
            f"<m:MaxChangesReturned>{limit}</m:MaxChangesReturned></m:SyncFolderItems>"
        )
