"""Answers of an Exchange server, written by hand: XML out of a few values. Knows nothing of the connector."""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
ERRORS = "http://schemas.microsoft.com/exchange/services/2006/errors"
BERLIN = '<t:StartTimeZone Id="W. Europe Standard Time" Name="(UTC+01:00) Berlin"/>'
SYNC_END = "<m:IncludesLastItemInRange>true</m:IncludesLastItemInRange>"


def soap(body: str) -> bytes:
    """Wrap a SOAP body."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{SOAP}" xmlns:m="{MESSAGES}" xmlns:t="{TYPES}">'
        f"<s:Header/><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def answer(operation: str, *messages: str) -> bytes:
    """Build the answer of an operation around its response messages."""
    return soap(
        f"<m:{operation}Response><m:ResponseMessages>{''.join(messages)}</m:ResponseMessages></m:{operation}Response>"
    )


def success(operation: str, content: str = "") -> str:
    """Build one message that went well."""
    name = f"m:{operation}ResponseMessage"
    return f'<{name} ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>{content}</{name}>'


def failure(operation: str, code: str, text: str = "it failed", wait_ms: int | None = None) -> str:
    """Build one message that failed."""
    name = f"m:{operation}ResponseMessage"
    return (
        f'<{name} ResponseClass="Error"><m:MessageText>{escape(text)}</m:MessageText><m:ResponseCode>{code}'
        f"</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>{_wait('m', wait_ms)}</{name}>"
    )


def fault(code: str, text: str = "refused", wait_ms: int | None = None) -> bytes:
    """Build a SOAP fault."""
    return soap(
        f'<s:Fault><faultcode>t:{code}</faultcode><faultstring>{text}</faultstring><detail xmlns:e="{ERRORS}">'
        f"<e:ResponseCode>{code}</e:ResponseCode><e:Message>{text}</e:Message>{_wait('t', wait_ms)}</detail></s:Fault>"
    )


def _wait(prefix: str, wait_ms: int | None) -> str:
    if wait_ms is None:
        return ""
    return f'<{prefix}:MessageXml><t:Value Name="BackOffMilliseconds">{wait_ms}</t:Value></{prefix}:MessageXml>'


def item(ref: str = "AAA=", change_key: str = "CK", fields: str = "") -> str:
    """Build a CalendarItem with an id and any fields."""
    return f'<t:CalendarItem><t:ItemId Id="{ref}" ChangeKey="{change_key}"/>{fields}</t:CalendarItem>'


def single(
    ref: str = "AAA=",
    *,
    subject: str = "Lunch",
    start: str = "2026-12-01T11:00:00Z",
    end: str = "2026-12-01T12:00:00Z",
    uid: str = "uid-1",
    more: str = BERLIN,
) -> str:
    """Build an ordinary single appointment."""
    return item(
        ref,
        fields=f"<t:Subject>{escape(subject)}</t:Subject><t:UID>{uid}</t:UID><t:Start>{start}</t:Start>"
        f"<t:End>{end}</t:End>{more}",
    )


def got(*items: str) -> bytes:
    """Build the answer of GetItem, all well."""
    return answer("GetItem", *(got_one(entry) for entry in items))


def got_one(entry: str) -> str:
    """Build one message of GetItem that went well."""
    return success("GetItem", f"<m:Items>{entry}</m:Items>")


def calendar(ref: str = "CAL=", name: str = "Calendar") -> bytes:
    """Build the answer of GetFolder."""
    return answer("GetFolder", success("GetFolder", f"<m:Folders>{folder(ref, name)}</m:Folders>"))


def folder(ref: str, name: str, kind: str = "IPF.Appointment", tag: str = "CalendarFolder") -> str:
    """Build one folder."""
    return (
        f'<t:{tag}><t:FolderId Id="{ref}" ChangeKey="K"/><t:FolderClass>{kind}</t:FolderClass>'
        f"<t:DisplayName>{name}</t:DisplayName></t:{tag}>"
    )


def folders(*found: str, last: bool = True, offset: int = 1) -> bytes:
    """Build the answer of FindFolder."""
    return answer("FindFolder", success("FindFolder", _root("Folders", found, last=last, offset=offset)))


def found_items(*found: str, last: bool = True, offset: int = 1) -> bytes:
    """Build the answer of FindItem."""
    return answer("FindItem", success("FindItem", _root("Items", found, last=last, offset=offset)))


def _root(holder: str, found: Iterable[str], *, last: bool, offset: int) -> str:
    listed = list(found)
    return (
        f'<m:RootFolder IndexedPagingOffset="{offset}" TotalItemsInView="{len(listed)}" '
        f'IncludesLastItemInRange="{str(last).lower()}"><t:{holder}>{"".join(listed)}</t:{holder}></m:RootFolder>'
    )


def changes(*rows: str, state: str = "S1", last: bool = True) -> bytes:
    """Build the answer of SyncFolderItems."""
    end = str(last).lower()
    return answer(
        "SyncFolderItems",
        success(
            "SyncFolderItems",
            f"<m:SyncState>{state}</m:SyncState><m:IncludesLastItemInRange>{end}</m:IncludesLastItemInRange>"
            f"<m:Changes>{''.join(rows)}</m:Changes>",
        ),
    )
