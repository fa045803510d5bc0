"""What a server must bear: every documented request, damaged requests, many clients at once."""

from __future__ import annotations

import http.client
import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from lxml import etree

from syncline.emulators.exchange import ExchangeEmulator
from tests.emulator.client import NS, Client
from tests.emulator.conftest import ADA, PASSWORDS, SchemaCheck

pytestmark = pytest.mark.emulator

HOUR = "<t:Subject>x</t:Subject><t:Start>2026-12-01T09:00:00Z</t:Start><t:End>2026-12-01T10:00:00Z</t:End>"


def documented(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the name and bytes of every request example of the documentation."""
    for path in sorted(folder.glob("*.xml")):
        data = path.read_bytes()
        try:
            body = etree.fromstring(data).find("s:Body", NS)
        except etree.XMLSyntaxError:
            continue
        if body is not None and len(body) == 1 and not body[0].tag.endswith(("Response", "Fault")):
            yield path.name, data


def test_every_documented_request_is_answered(client: Client, check: SchemaCheck, data_dir: Path) -> None:
    """Each request example gets a valid answer: done, refused by its code, or a fault; none breaks the server."""
    check.requests = False
    asked = 0
    for _name, data in documented(data_dir / "ews" / "samples"):
        reply = client.raw("POST", "/EWS/Exchange.asmx", data)
        assert reply.status in (200, 500)
        assert "ErrorInternalServerError" not in reply.codes()
        asked += 1
    assert asked > 100


GOOD = (
    "<m:SyncFolderItems><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape><m:SyncFolderId>"
    '<t:DistinguishedFolderId Id="calendar"/></m:SyncFolderId><m:MaxChangesReturned>10</m:MaxChangesReturned>'
    "</m:SyncFolderItems>",
    '<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape>'
    '<m:IndexedPageItemView MaxEntriesReturned="5" Offset="0" BasePoint="Beginning"/><m:Restriction><t:IsEqualTo>'
    '<t:FieldURI FieldURI="item:Subject"/><t:FieldURIOrConstant><t:Constant Value="x"/></t:FieldURIOrConstant>'
    '</t:IsEqualTo></m:Restriction><m:ParentFolderIds><t:DistinguishedFolderId Id="calendar"/></m:ParentFolderIds>'
    "</m:FindItem>",
    '<m:CreateItem SendMeetingInvitations="SendToNone"><m:Items><t:CalendarItem><t:Start>2026-12-01T09:00:00Z</t:Start>'
    "<t:End>2026-12-01T10:00:00Z</t:End><t:RequiredAttendees><t:Attendee><t:Mailbox><t:EmailAddress>a@b.c"
    "</t:EmailAddress></t:Mailbox></t:Attendee></t:RequiredAttendees><t:Recurrence><t:DailyRecurrence>"
    "<t:Interval>1</t:Interval></t:DailyRecurrence><t:NoEndRecurrence><t:StartDate>2026-12-01</t:StartDate>"
    "</t:NoEndRecurrence></t:Recurrence></t:CalendarItem></m:Items></m:CreateItem>",
    '<m:UpdateItem ConflictResolution="AlwaysOverwrite" SendMeetingInvitationsOrCancellations="SendToNone">'
    '<m:ItemChanges><t:ItemChange><t:ItemId Id="@"/><t:Updates><t:SetItemField><t:FieldURI FieldURI="item:Subject"/>'
    "<t:CalendarItem><t:Subject>y</t:Subject></t:CalendarItem></t:SetItemField></t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>",
    "<m:GetUserAvailabilityRequest><m:MailboxDataArray><t:MailboxData><t:Email><t:Address>ada@example.com</t:Address>"
    "</t:Email><t:AttendeeType>Required</t:AttendeeType></t:MailboxData></m:MailboxDataArray><t:FreeBusyViewOptions>"
    "<t:TimeWindow><t:StartTime>2026-12-01T00:00:00</t:StartTime><t:EndTime>2026-12-02T00:00:00</t:EndTime>"
    "</t:TimeWindow><t:MergedFreeBusyIntervalInMinutes>30</t:MergedFreeBusyIntervalInMinutes><t:RequestedView>Detailed"
    "</t:RequestedView></t:FreeBusyViewOptions></m:GetUserAvailabilityRequest>",
)


def damaged(body: str) -> Iterator[str]:
    """Yield the request with one element or attribute removed or turned into nonsense, each once."""
    head = f'<b xmlns:t="{NS["t"]}" xmlns:m="{NS["m"]}">'
    size = len(list(etree.fromstring(f"{head}{body}</b>").iter()))
    for index in range(2, size):
        for damage in range(3):
            root = etree.fromstring(f"{head}{body}</b>")
            element = list(root.iter())[index]
            parent = element.getparent()
            assert parent is not None
            if damage == 0:
                parent.remove(element)
            elif damage == 1:
                element.text = "nonsense"
            else:
                for name in element.attrib:
                    element.set(name, "nonsense")
            yield etree.tostring(root[0], encoding="unicode")


@pytest.mark.parametrize("body", GOOD, ids=["sync", "find", "create", "update", "availability"])
def test_a_damaged_request_is_answered_and_harms_nothing(client: Client, check: SchemaCheck, body: str) -> None:
    """A request with any one part missing or senseless gets an answer, and the server goes on."""
    check.requests = False
    body = body.replace('"@"', f'"{client.created(HOUR)}"')
    assert client.post(body).codes()[0] == "NoError"
    for wrong in damaged(body):
        reply = client.post(wrong)
        assert reply.status in (200, 500), wrong
        assert reply.codes(), wrong
    assert client.sync().codes() == ["NoError"]


def test_many_clients_write_at_once(server: ExchangeEmulator, client: Client) -> None:
    """Items that several clients create and change at the same time are all there, each with its own ChangeKey."""

    def work(number: int) -> list[str]:
        mine = Client(server, ADA, PASSWORDS[ADA])
        return [mine.created(HOUR.replace("x", f"{number}.{n}", 1)) for n in range(10)]

    with ThreadPoolExecutor(8) as pool:
        idents = list(itertools.chain.from_iterable(pool.map(work, range(8))))
    assert len(set(idents)) == 80
    keys = [e.get("ChangeKey") for e in client.sync().all("t:ItemId")]
    assert len(set(keys)) == 80


def test_one_connection_serves_many_requests(server: ExchangeEmulator, client: Client) -> None:
    """Connections are kept alive, also over a refused sign-in."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    for _ in range(3):
        connection.request("POST", "/EWS/Exchange.asmx", b"<x/>")
        answer = connection.getresponse()
        assert (answer.status, answer.read(), answer.headers["Connection"]) == (401, b"", None)
    connection.close()


def test_a_stopped_server_answers_nobody(start: Callable[..., ExchangeEmulator]) -> None:
    """After stop, kept-alive connections are ended too."""
    server = start()
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", "/emulator/requests")
    assert connection.getresponse().read() == b"{}"
    server.stop()
    with pytest.raises((http.client.HTTPException, OSError)):
        connection.request("GET", "/emulator/requests")
        connection.getresponse()


def test_text_with_characters_that_xml_cannot_hold_is_rendered(server: ExchangeEmulator, client: Client) -> None:
    """Control characters of a calendar file do not make an answer unreadable."""
    server.load_calendar(
        ADA,
        'BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:u\nSUMMARY:a\x08b <&> "c"\nDTSTART:20261201T090000Z\n'
        "END:VEVENT\nEND:VCALENDAR\n",
    )
    ident = client.sync().one("t:ItemId").get("Id") or ""
    assert client.get(ident).text("t:Subject") == 'ab <&> "c"'
